package memory

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

// TestScanSparesWhatIsUsed: a crawler that asks for everything once does not
// drive out what people ask for.
func TestScanSparesWhatIsUsed(t *testing.T) {
	const popular, size = 20, 1024
	s := New(Config{Budget: 100 * 2048, Poison: true})
	for i := range popular {
		put(t, s, i, size, live)
	}
	for i := popular; i < 1000; i++ {
		put(t, s, i, size, live)
		for p := range popular {
			if !hit(s, p) {
				t.Fatalf("popular object %d left during a scan, at %d", p, i)
			}
		}
	}
	if gone := s.Stats().Gone[store.Evicted]; gone < 800 {
		t.Errorf("%d evicted: the scan did not need room", gone)
	}
}

func TestMaxVariants(t *testing.T) {
	s := New(Config{Budget: 1 << 20, MaxVariants: 3})
	for i := range 10 {
		if !tryPut(s, 1, fmt.Sprint(i), 10, live) {
			t.Fatalf("variant %d was not stored", i)
		}
	}
	stats := s.Stats()
	if stats.Objects != 3 || stats.Gone[store.Evicted] != 7 || stats.Refused != 0 {
		t.Errorf("ten variants of at most three: %+v", stats)
	}

	old, _ := draft(s, 2, "", 0, live)
	for i := range 3 {
		head := store.NewHead(store.HeadSpec{Stamp: 9, Variant: fmt.Sprint(i)})
		s.Put(store.Draft{Key: old.Key, Head: head, Judge: live}).Release()
	}
	if putDraft(s, old) {
		t.Error("stored, though all its key may have are newer")
	}
	if got := s.Stats(); got.Objects != 6 || got.Refused != 1 {
		t.Errorf("after one too old: %+v", got)
	}
}

// TestTake: slots are to be had for as long as something can be evicted, and no
// longer.
func TestTake(t *testing.T) {
	s := New(Config{Budget: 128 << 10, Poison: true})
	for i := range 100 {
		put(t, s, i, 700, live)
	}
	before := s.Stats()
	if _, ok := s.Take(s.pool.Most() + 1); ok {
		t.Error("a slot larger than a slab")
	}
	var taken []slab.Ref
	for {
		r, ok := s.Take(2000)
		if !ok {
			break
		}
		taken = append(taken, r)
		if stats := s.Stats(); stats.Slabs > stats.Budget {
			t.Fatalf("%d bytes in use of %d", stats.Slabs, stats.Budget)
		}
	}
	after := s.Stats()
	if after.Objects != 0 || after.Refused != before.Refused+2 || after.Bytes < 128<<10*3/4 {
		t.Errorf("all is taken: %+v", after)
	}
	for _, r := range taken {
		s.pool.Free(r)
	}
	if got := s.Stats().Bytes; got != 0 {
		t.Errorf("%d bytes in use", got)
	}
}

func TestNoBudget(t *testing.T) {
	for _, budget := range []int64{-1, 0, 100, 5000} {
		s := New(Config{Budget: budget})
		if tryPut(s, 1, "", 5000, live) || hit(s, 1) {
			t.Errorf("stored in a budget of %d", budget)
		}
		s.Walk(func(store.Object) bool { t.Error("visited"); return true })
		s.WalkURL(1, func(store.Object) { t.Error("visited") })
	}
}

// TestHeldIsNotWorthTheRest: where readers hold the bytes that matter, the rest
// of the store is not emptied for a response that cannot fit anyway.
func TestHeldIsNotWorthTheRest(t *testing.T) {
	const small, big = 2000, 20
	s := New(Config{Budget: 8 << 20, Poison: true})
	var held []store.Object
	for i := range big {
		put(t, s, i, 340_000, live)
		held = append(held, s.Get(key(i), anything{}))
	}
	stored := 0
	for i := range small {
		if tryPut(s, big+i, "", 0, live) {
			stored++
		}
	}
	for range 10 {
		tryPut(s, 10_000, "", 3<<20, live)
	}
	stats := s.Stats()
	perAllocation := int64(patience + mostDrains*s.pool.Most()/slab.Granule)
	if stats.Refused == 0 || stats.Slabs > stats.Budget {
		t.Errorf("of %d: %+v", stored, stats)
	}
	if gone := stats.Gone[store.Evicted]; gone > (stats.Refused+10)*perAllocation {
		t.Errorf("%d evictions for %d refusals", gone, stats.Refused)
	}
	for _, o := range held {
		o.Release()
	}
	put(t, s, 1, 1<<20, live)
}

// TestWithdrawnBeforeDropped: whoever holds an object that eviction found
// withdrawn must learn of it, because its marks may go next.
func TestWithdrawnBeforeDropped(t *testing.T) {
	for _, verdict := range []state{state(store.Dead), state(store.Spare)} {
		s := New(Config{Budget: 128 << 10, Poison: true})
		put(t, s, 0, 1000, verdict)
		o := s.Get(key(0), anything{})
		for i := 1; hit(s, 0); i++ {
			put(t, s, i, 1000, live)
		}
		if !o.Withdrawn() {
			t.Errorf("verdict %d: not withdrawn", verdict)
		}
		o.Release()
	}
}

// curious is a store.Judge that uses the store, which no lock may forbid.
type curious struct{ s *Store }

func (c curious) Judge(o store.Object) store.Verdict {
	hit(c.s, 1)
	c.s.Remove(o, store.Removed)
	c.s.WalkURL(o.Head.Tag(0), func(store.Object) {})
	return store.Verdict{State: store.Dead}
}

func TestJudgeIsAskedUnderNoLock(t *testing.T) {
	s := New(Config{Budget: 128 << 10, Shards: 1, Poison: true})
	for i := range 200 {
		put(t, s, i, 1000, curious{s})
	}
	if gone := s.Stats().Gone; gone[store.Removed] == 0 {
		t.Error("no judge was asked")
	}
}

// TestTakeConcurrently: allocations of many at once neither overshoot nor lose a
// byte.
func TestTakeConcurrently(t *testing.T) {
	const limit = 256 << 10
	s := New(Config{Budget: limit, Poison: true})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var users sync.WaitGroup
	for g := range 8 {
		users.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(g)))
			var mine []slab.Ref
			for i := range 2000 {
				if rnd.IntN(2) == 0 {
					if r, ok := s.Take(1 + rnd.IntN(s.pool.Most())); ok {
						mine = append(mine, r)
					}
				}
				if len(mine) > 4 || len(mine) > 0 && rnd.IntN(2) == 0 {
					s.pool.Free(mine[0])
					mine = mine[1:]
				}
				if i%4 == 0 {
					tryPut(s, rnd.IntN(50), "", rnd.IntN(2000), live)
				}
				if slabs := s.Stats().Slabs; slabs > limit {
					t.Errorf("%d bytes in use of %d", slabs, limit)
				}
			}
			for _, r := range mine {
				s.pool.Free(r)
			}
		})
	}
	users.Wait()
	var stored int64
	s.Walk(func(o store.Object) bool {
		stored += o.Cost()
		return true
	})
	if got := s.Stats().Bytes; got != stored {
		t.Errorf("%d bytes in use, %d stored", got, stored)
	}
}

// A head that no slot can hold is refused for good: nobody has to leave for it.
func TestTooLargeHeadEvictsNothing(t *testing.T) {
	s := New(Config{Budget: 1 << 20})
	n := 0
	for s.Stats().Gone[store.Evicted] == 0 {
		put(t, s, n, 1000, live)
		n++
	}
	before := s.Stats()
	head := store.NewHead(store.HeadSpec{
		Status: 200, Fields: field.Fields{{Name: "X", Value: strings.Repeat("x", s.Pool().Most())}}, Length: -1,
	})
	if o := s.Put(store.Draft{Key: key(n), Head: head, Judge: live}); o.Found() {
		t.Error("stored")
	}
	after := s.Stats()
	if after.Objects != before.Objects || after.Refused != before.Refused+1 {
		t.Errorf("%d objects of %d are left, %d refused", after.Objects, before.Objects, after.Refused-before.Refused)
	}
}
