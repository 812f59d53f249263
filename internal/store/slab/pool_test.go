package slab

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// stamp fills what a slot holds with a byte that its Ref tells.
func stamp(p *Pool, r Ref) {
	for i := range p.Bytes(r)[HeaderBytes:] {
		p.Bytes(r)[HeaderBytes+i] = byte(r*7 + 1)
	}
}

// intact fails where somebody else wrote into a slot.
func intact(t *testing.T, p *Pool, r Ref) {
	t.Helper()
	for i, b := range p.Bytes(r)[HeaderBytes:] {
		if b != byte(r*7+1) {
			t.Fatalf("slot %d of %d bytes: byte %d is another's", r, p.Size(r), i)
		}
	}
}

func random(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestSizes(t *testing.T) {
	for slab := leastSlab; slab <= mostSlab; slab *= 2 {
		sizes := slotSizes(slab)
		if last := sizes[len(sizes)-1]; last != slab || sizes[0] != Granule {
			t.Fatalf("slab of %d: sizes from %d to %d", slab, sizes[0], last)
		}
		index := sizeIndex(sizes)
		for n := 1; n <= slab; n += 13 {
			at := int(index[(n-1)/Granule])
			if sizes[at] < n || at > 0 && sizes[at-1] >= n {
				t.Fatalf("slab of %d: %d bytes go into %d, of %v", slab, n, sizes[at], sizes)
			}
			// A slab holds few of the largest sizes, and those are far apart.
			if waste := sizes[at] - n; slab/sizes[at] > 15 && waste > max(n/7, Granule) {
				t.Errorf("slab of %d: %d bytes waste %d", slab, n, waste)
			}
		}
	}
}

// TestModel compares a pool with a list of what was taken.
func TestModel(t *testing.T) {
	rnd := random(t)
	const limit = 1 << 20
	p := NewPool(Config{Limit: limit, Pinned: 200})
	var taken []Ref
	var used, pinned int64
	for step := range 20_000 {
		largest := 64 << (step / 2000 % 6) // shifting, so that slabs change their size
		switch rnd.IntN(5) {
		case 0, 1:
			n := 1 + rnd.IntN(largest)
			r, ok := p.Alloc(n)
			if !ok {
				break
			}
			if p.Size(r) < n || p.Size(r) != p.SizeFor(n) || len(p.Bytes(r)) != p.Size(r) {
				t.Fatalf("step %d: asked for %d, got %d, promised %d", step, n, p.Size(r), p.SizeFor(n))
			}
			used += int64(p.Size(r))
			taken = append(taken, r)
			stamp(p, r)
		case 2:
			if r, ok := p.AllocPinned(); ok && len(taken) < 2000 {
				pinned += int64(p.Size(r))
				stamp(p, r)
				taken = append(taken, r)
			} else if ok {
				p.Free(r)
			}
		default:
			if len(taken) == 0 {
				break
			}
			i := rnd.IntN(len(taken))
			r := taken[i]
			intact(t, p, r)
			if int(p.slabs[r>>p.slabShift].size) == len(p.sizes)-1 {
				pinned -= int64(p.Size(r))
			} else {
				used -= int64(p.Size(r))
			}
			p.Free(r)
			taken[i] = taken[len(taken)-1]
			taken = taken[:len(taken)-1]
		}
		if got := p.Stats(); got.Used != used || got.Pinned != pinned || got.Mapped > limit || got.Mapped < used+pinned {
			t.Fatalf("step %d: %+v, want %d used, %d pinned", step, got, used, pinned)
		}
	}
	for _, r := range taken {
		intact(t, p, r)
		p.Free(r)
	}
	if got := p.Stats(); got != (Stats{}) {
		t.Errorf("in use at the end: %+v", got)
	}
	if left := p.AppendClasses(nil); len(left) > 0 {
		t.Errorf("sizes with slabs at the end: %v", left)
	}
}

// TestEverySlabServesEverySize: what was full of one size can be full of any
// other afterwards.
func TestEverySlabServesEverySize(t *testing.T) {
	const limit = 8 << 20
	p := NewPool(Config{Limit: limit})
	for n := 64; n <= p.Most(); n = n*3 + 1 {
		var all []Ref
		for {
			r, ok := p.Alloc(n)
			if !ok {
				break
			}
			all = append(all, r)
		}
		if got := p.Stats(); got.Mapped != limit || got.Used < limit*3/4 {
			t.Errorf("%d bytes: %d slots, %+v", n, len(all), got)
		}
		for _, r := range all {
			p.Free(r)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, limit := range []int64{-1, 0, 1, leastSlab - 1} {
		p := NewPool(Config{Limit: limit})
		if _, ok := p.Alloc(1); ok {
			t.Errorf("limit %d: there was a slot", limit)
		}
		if _, ok := p.AllocPinned(); ok {
			t.Errorf("limit %d: there was a pinned slot", limit)
		}
	}
	p := NewPool(Config{Limit: leastSlab})
	if _, ok := p.Alloc(leastSlab + 1); ok || p.SizeFor(leastSlab+1) != 0 {
		t.Error("a slot larger than a slab")
	}
	if huge := NewPool(Config{Limit: 1 << 60}); int64(len(huge.slabs))*mostSlab > 1<<32*Granule {
		t.Errorf("%d slabs of a MiB", len(huge.slabs))
	}
}

func TestFreeTwicePanics(t *testing.T) {
	p := NewPool(Config{Limit: 1 << 20})
	p.Alloc(10) // keeps the slab
	r, _ := p.Alloc(10)
	p.Free(r)
	defer func() {
		if recover() == nil {
			t.Error("nobody noticed")
		}
	}()
	p.Free(r)
}

func TestPoison(t *testing.T) {
	p := NewPool(Config{Limit: 1 << 20, Poison: true})
	p.Alloc(100)
	r, _ := p.Alloc(100)
	b := p.Bytes(r)
	copy(b[HeaderBytes:], "what a reader still holds")
	p.Free(r)
	for i, c := range b[HeaderBytes:] {
		if c != 0xdb {
			t.Fatalf("byte %d is still readable: %q", i, b)
		}
	}
}

// TestConcurrent lets many at a small pool, all sizes at once.
func TestConcurrent(t *testing.T) {
	const limit = 256 << 10
	p := NewPool(Config{Limit: limit, Poison: true})
	seed := random(t).Uint64()
	var users sync.WaitGroup
	for g := range 8 {
		users.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(g)))
			var mine []Ref
			for range 3000 {
				if r, ok := p.Alloc(1 + rnd.IntN(1000)); ok {
					stamp(p, r)
					p.Settle(r, r, uint64(g))
					mine = append(mine, r)
				}
				if len(mine) > 20 || rnd.IntN(3) == 0 && len(mine) > 0 {
					intact(t, p, mine[0])
					p.Free(mine[0])
					mine = mine[1:]
				}
				if rnd.IntN(50) == 0 {
					if d, _, ok := p.BeginDrain(nil); ok {
						p.EndDrain(d)
					}
				}
				if got := p.Stats(); got.Mapped > limit {
					t.Errorf("%d bytes mapped of %d", got.Mapped, limit)
				}
			}
			for _, r := range mine {
				p.Free(r)
			}
		})
	}
	users.Wait()
	if got := p.Stats(); got != (Stats{}) {
		t.Errorf("in use at the end: %+v", got)
	}
}
