package storetest

import (
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

const (
	roomBudget = 256 << 10
	roomSize   = 16 << 10 // of a body: the budget holds some fifteen
)

// crowd fills a store until one object more would not fit, each judged by what
// judgeOf returns, and gives the number of objects.
func crowd(t *testing.T, s store.Store, judgeOf func(i int) store.Judge) int {
	t.Helper()
	n := 0
	for {
		mustPut(t, s, spec{id: n, url: n, size: roomSize, judge: judgeOf(n)})
		n++
		stats := s.Stats()
		if stats.Objects != int64(n) {
			t.Fatalf("%d objects after %d were put in with %d of %d bytes in use", stats.Objects, n, stats.Bytes, stats.Budget)
		}
		if stats.Budget-stats.Bytes < roomSize+2048 {
			return n
		}
	}
}

// leavesFirst puts objects into a crowded store, some of which are judged v,
// and fails unless exactly those leave for them. It returns how many did.
func leavesFirst(t *testing.T, s store.Store, v store.Verdict) int {
	t.Helper()
	doomed := judging(store.Verdict{})
	n := crowd(t, s, func(i int) store.Judge {
		if i%3 == 1 {
			return doomed
		}
		return live
	})
	for i := range n {
		wants(t, s, i, anything{}, i) // all of them were used
	}
	doomed.set(v)
	left := 0
	for i := 1; i < n; i += 3 {
		mustPut(t, s, spec{id: n + i, url: n + i, size: roomSize})
		left++
	}
	for i := range n {
		want := i
		if i%3 == 1 {
			want = -1
		}
		wants(t, s, i, anything{}, want)
	}
	return left
}

func testDeadFirst(t *testing.T, open New) {
	s := open(t, roomBudget)
	left := leavesFirst(t, s, store.Verdict{State: store.Dead})
	if gone := s.Stats().Gone; gone[store.Swept] != int64(left) || gone[store.Evicted] != 0 {
		t.Errorf("gone: %v, want %d swept", gone, left)
	}
	Empty(t, s)
}

func testSpareFirst(t *testing.T, open New) {
	s := open(t, roomBudget)
	left := leavesFirst(t, s, store.Verdict{State: store.Spare})
	if gone := s.Stats().Gone; gone[store.Evicted] != int64(left) || gone[store.Swept] != 0 {
		t.Errorf("gone: %v, want %d evicted: an undo could have brought them back", gone, left)
	}
	Empty(t, s)
}

func testExpiredFirst(t *testing.T, open New) {
	s := open(t, roomBudget)
	left := leavesFirst(t, s, store.Verdict{State: store.Soft, Times: field.Times{Fresh: 1, SWR: 1, SIE: 1, Keep: 1}})
	if gone := s.Stats().Gone; gone[store.Expired] != int64(left) || gone[store.Evicted] != 0 {
		t.Errorf("gone: %v, want %d expired", gone, left)
	}
	Empty(t, s)
}

// testBudget: a store takes new objects for ever, and never has more in use
// than its budget.
func testBudget(t *testing.T, open New) {
	const puts = 500
	s := open(t, roomBudget)
	rnd := random(t)
	for i := range puts {
		size := rnd.IntN(roomBudget / 8)
		mustPut(t, s, spec{id: i, url: i, size: size})
		wants(t, s, i, anything{}, i)
		if stats := s.Stats(); stats.Bytes > stats.Budget {
			t.Fatalf("%d bytes in use of %d", stats.Bytes, stats.Budget)
		}
	}
	stats := s.Stats()
	if stats.Objects+stats.Gone[store.Evicted] != puts || stats.Refused != 0 {
		t.Errorf("%d puts: %+v", puts, stats)
	}
	Empty(t, s)
}

// testHeld: bytes that a reader or a filling body holds are not given out
// again before they are given back.
func testHeld(t *testing.T, open New) {
	s := open(t, roomBudget)
	n := crowd(t, s, func(int) store.Judge { return live })
	var held []store.Object
	for i := range n {
		held = append(held, s.Get(keyOf(i), anything{}))
	}
	for i := range n {
		put(t, s, spec{id: n + i, url: n + i, size: roomSize})
		if stats := s.Stats(); stats.Bytes > stats.Budget {
			t.Fatalf("%d bytes in use of %d", stats.Bytes, stats.Budget)
		}
	}
	if s.Stats().Refused == 0 {
		t.Error("nothing was refused while readers held every body")
	}
	for _, o := range held {
		check(t, o)
		o.Release()
	}
	mustPut(t, s, spec{id: 2 * n, url: 2 * n, size: roomSize})

	// The same with bodies that are still filling.
	var filling []*store.Body
	for {
		body := s.NewBody(-1)
		filling = append(filling, body)
		if _, err := body.Buffer(); err != nil {
			break
		}
	}
	if stats := s.Stats(); stats.Objects != 0 || stats.Bytes > stats.Budget {
		t.Errorf("bodies fill the budget, and yet: %+v", stats)
	}
	for _, body := range filling {
		body.Release()
	}
	mustPut(t, s, spec{id: 2 * n, url: 2 * n, size: roomSize})
	Empty(t, s)
}

// testBurst fills many bodies at once and watches the bytes in use meanwhile.
func testBurst(t *testing.T, open New) {
	s := open(t, roomBudget)
	crowd(t, s, func(int) store.Judge { return live })
	stop := make(chan struct{})
	var watch, burst sync.WaitGroup
	watch.Go(func() {
		for {
			if stats := s.Stats(); stats.Bytes > stats.Budget {
				t.Errorf("%d bytes in use of %d", stats.Bytes, stats.Budget)
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for g := range 16 {
		burst.Go(func() {
			for i := range 20 {
				put(t, s, spec{id: g*100 + i, url: 1000 + g*100 + i, size: roomSize * (1 + g%3)})
			}
		})
	}
	burst.Wait()
	close(stop)
	watch.Wait()
	Empty(t, s)
}
