package slab

import "testing"

// shelf is a pool whose slots are settled one by one.
type shelf struct {
	*Pool
	t     *testing.T
	taken map[Ref]bool
}

func newShelf(t *testing.T, limit int64) *shelf {
	return &shelf{NewPool(Config{Limit: limit, Poison: true}), t, make(map[Ref]bool)}
}

func (s *shelf) put(n int) (Ref, bool) {
	r, ok := s.Alloc(n)
	if ok {
		s.Settle(r, r, uint64(n))
		s.taken[r] = true
	}
	return r, ok
}

func (s *shelf) remove(r Ref) {
	if s.taken[r] {
		delete(s.taken, r)
		s.Free(r)
	}
}

// drain removes whoever must leave and returns how many that were.
func (s *shelf) drain() int {
	d, tenants, ok := s.BeginDrain(nil)
	if !ok {
		s.t.Fatal("nothing to drain")
	}
	for _, x := range tenants {
		if x.Slot != x.Group || int(x.Hash) > s.Size(x.Slot) {
			s.t.Fatalf("a tenant %+v that nobody settled", x)
		}
		s.remove(x.Slot)
	}
	if !s.EndDrain(d) {
		s.t.Fatal("everybody left, and the slab is not empty")
	}
	return len(tenants)
}

// TestDrainBoundsStranding: memory full of one size gives room to any other
// once little more than a slab's worth of it is free, wherever that is.
func TestDrainBoundsStranding(t *testing.T) {
	rnd := random(t)
	s := newShelf(t, 4<<20)
	small := 600
	for {
		if _, ok := s.put(small); !ok {
			break
		}
	}
	all := len(s.taken)
	for large := 700; large <= s.Most(); large = large*2 + rnd.IntN(100) {
		if _, ok := s.put(large); ok {
			t.Fatalf("room for %d bytes in a full pool", large)
		}
		for r := range s.taken { // any, as an eviction might
			if s.Stranded() {
				break
			}
			if s.Size(r) == s.SizeFor(small) {
				s.remove(r)
			}
		}
		free := all - len(s.taken)
		evicted := s.drain()
		r, ok := s.put(large)
		if !ok {
			t.Fatalf("no room for %d bytes after %d slots were free and %d evicted", large, free, evicted)
		}
		s.remove(r)
		for {
			if _, ok := s.put(small); !ok {
				break
			}
		}
	}
}

func TestDrainTakesTheEmptiest(t *testing.T) {
	s := newShelf(t, 1<<20)
	var refs []Ref
	for {
		r, ok := s.put(1000)
		if !ok {
			break
		}
		refs = append(refs, r)
	}
	per := int(s.sizes[s.slabs[1].size].perSlab)
	for i, r := range refs { // of the n-th slab, n remain, but of the third only one
		if n := i / per; i%per >= max(n, 2) || n == 2 && i%per > 0 {
			s.remove(r)
		}
	}
	if n := s.drain(); n != 1 {
		t.Errorf("%d had to leave, want 1", n)
	}
}

// TestDrainOfWhatIsHeld: where somebody does not leave, the slab's free slots
// come back into use, and another slab is drained next.
func TestDrainOfWhatIsHeld(t *testing.T) {
	s := newShelf(t, 1<<20)
	for {
		if _, ok := s.put(1000); !ok {
			break
		}
	}
	for r := range s.taken {
		if (uint32(r)>>s.slabShift)%2 == 0 && uint32(r)&(1<<s.slabShift-1) == 0 {
			s.remove(r) // one slot of every other slab
		}
	}
	seen := make(map[Ref]bool)
	for range 3 {
		d, tenants, ok := s.BeginDrain(nil)
		if !ok || len(tenants) == 0 {
			t.Fatal("nothing to drain")
		}
		n := tenants[0].Slot >> s.slabShift
		if seen[n] {
			t.Errorf("slab %d is drained again", n)
		}
		seen[n] = true
		if s.EndDrain(d) {
			t.Error("nobody left, and the slab is empty")
		}
	}
	before := len(s.taken)
	for {
		if _, ok := s.put(1000); !ok {
			break
		}
	}
	if len(s.taken) == before {
		t.Error("the free slots were lost")
	}
}

func TestNothingToDrain(t *testing.T) {
	s := newShelf(t, 1<<20)
	if _, _, ok := s.BeginDrain(nil); ok || s.Stranded() {
		t.Error("an empty pool has something to drain")
	}
	s.AllocPinned()
	if _, _, ok := s.BeginDrain(nil); ok {
		t.Error("pinned slots are drained")
	}
	s.Alloc(100)
	if _, _, ok := s.BeginDrain(nil); ok {
		t.Error("a busy slot is asked to leave")
	}
}
