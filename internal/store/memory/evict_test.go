package memory

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// TestScanSparesWhatIsUsed: a crawler that asks for everything once does not
// drive out what people ask for.
func TestScanSparesWhatIsUsed(t *testing.T) {
	const popular, size = 20, 1024
	s := New(Config{Budget: 100 * 2048})
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
		if !s.Put(object(s, 1, fmt.Sprint(i), 10, live)) {
			t.Fatalf("variant %d was not stored", i)
		}
	}
	stats := s.Stats()
	if stats.Objects != 3 || stats.Gone[store.Evicted] != 7 || stats.Refused != 0 {
		t.Errorf("ten variants of at most three: %+v", stats)
	}

	newer := object(s, 2, "", 0, live)
	for i := range 3 {
		head := store.NewHead(store.HeadSpec{Stamp: 9, Variant: fmt.Sprint(i)})
		s.Put(store.NewObject(newer.Key, head, nil, live))
	}
	if s.Put(newer) {
		t.Error("stored, though all its key may have are newer")
	}
	if got := s.Stats(); got.Objects != 6 || got.Refused != 1 {
		t.Errorf("after one too old: %+v", got)
	}
}

func TestReserve(t *testing.T) {
	s := New(Config{Budget: 100_000})
	for i := range 20 {
		put(t, s, i, 4000, live)
	}
	before := s.Stats()
	if s.Reserve(50_001) {
		t.Error("more than half the budget for one")
	}
	after := s.Stats()
	if after.Objects != before.Objects || after.Bytes != before.Bytes || after.Refused != before.Refused+1 {
		t.Errorf("a refused reservation changed %+v to %+v", before, after)
	}
	for range 2 {
		if !s.Reserve(50_000) {
			t.Error("no room though everything could be evicted")
		}
	}
	if s.Reserve(1) {
		t.Error("more than the budget")
	}
	if got := s.Stats(); got.Bytes != 100_000 || got.Objects != 0 {
		t.Errorf("all reserved: %+v", got)
	}
	s.Release(100_000)
	if got := s.Stats().Bytes; got != 0 {
		t.Errorf("%d bytes in use", got)
	}
	if none := New(Config{}); none.Reserve(1) || none.Stats().Budget != 0 {
		t.Error("a store without a budget gave bytes away")
	}
}

func TestReleaseTooMuchPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("bytes were released that nobody had reserved")
		}
	}()
	s := New(Config{Budget: 10})
	s.Release(1)
}

// TestVainEvictionsAreBounded: where readers hold all the bytes that matter,
// the rest of the store is not emptied for a response that cannot fit anyway.
func TestVainEvictionsAreBounded(t *testing.T) {
	const small, big = 2000, 20
	s := New(Config{Budget: 8 << 20})
	var held []*store.Object
	for i := range big {
		put(t, s, i, 340_000, live)
		held = append(held, s.Get(key(i), anything{}))
	}
	for i := range small {
		put(t, s, big+i, -1, live)
	}
	for s.Reserve(1000) {
		if s.Stats().Gone[store.Evicted] > 0 {
			break
		}
	}
	before := s.Stats()
	if s.Reserve(3 << 20) {
		t.Fatal("room, though readers hold nearly all")
	}
	if gone := before.Objects - s.Stats().Objects; gone > vainEvictions+(3<<20)/leastFreed {
		t.Errorf("%d evictions for one reservation", gone)
	}
	for _, o := range held {
		o.Release()
	}
}

func TestLeastFreed(t *testing.T) {
	if cost := store.NewObject(field.Key{}, store.NewHead(store.HeadSpec{}), nil, live).Cost(); cost < leastFreed {
		t.Errorf("an object costs %d bytes, less than leastFreed", cost)
	}
}

// TestWithdrawnBeforeDropped: whoever holds an object that eviction found
// withdrawn must learn of it, because its marks may go next.
func TestWithdrawnBeforeDropped(t *testing.T) {
	for _, verdict := range []state{state(store.Dead), state(store.Spare)} {
		s := New(Config{Budget: 64 << 10})
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

func (c curious) Judge(o *store.Object) store.Verdict {
	hit(c.s, 1)
	c.s.Remove(o, store.Removed)
	c.s.WalkURL(o.Head.Tag(0), func(*store.Object) {})
	return store.Verdict{State: store.Dead}
}

func TestJudgeIsAskedUnderNoLock(t *testing.T) {
	s := New(Config{Budget: 64 << 10, Shards: 1})
	for i := range 200 {
		put(t, s, i, 1000, curious{s})
	}
	if gone := s.Stats().Gone; gone[store.Removed] == 0 {
		t.Error("no judge was asked")
	}
}

// TestReserveConcurrently: reservations of many at once neither overshoot nor
// lose a byte.
func TestReserveConcurrently(t *testing.T) {
	const limit = 100_000
	s := New(Config{Budget: limit})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var users sync.WaitGroup
	for g := range 8 {
		users.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(g)))
			var mine []int64
			for i := range 3000 {
				if n := rnd.Int64N(limit / 8); rnd.IntN(2) == 0 && s.Reserve(n) {
					mine = append(mine, n)
				} else if len(mine) > 0 {
					s.Release(mine[0])
					mine = mine[1:]
				}
				if i%4 == 0 {
					if o := object(s, rnd.IntN(50), "", rnd.IntN(2000), live); o != nil {
						s.Put(o)
					}
				}
				if used := s.budget.used.Load(); used > limit || used < 0 {
					t.Errorf("%d bytes in use of %d", used, limit)
				}
			}
			for _, n := range mine {
				s.Release(n)
			}
		})
	}
	users.Wait()
	var stored int64
	s.Walk(func(o *store.Object) bool {
		stored += o.Cost() + o.Body.Size()
		return true
	})
	if got := s.Stats().Bytes; got != stored {
		t.Errorf("%d bytes in use, %d stored", got, stored)
	}
}
