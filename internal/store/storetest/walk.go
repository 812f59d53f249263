package storetest

import (
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/internal/store"
)

func testWalkURL(t *testing.T, open New) {
	s := open(t, 1<<20)
	mustPut(t, s, spec{id: 1, url: 1, variant: "a", size: 1})
	mustPut(t, s, spec{id: 2, url: 1, variant: "b", size: 1})
	mustPut(t, s, spec{id: 3, url: 2, size: 1})
	untagged := store.Draft{Key: keyOf(3), Head: store.NewHead(store.HeadSpec{Times: forever}), Judge: live}
	if !putDraft(s, untagged) {
		t.Fatal("an object without tags was not stored")
	}
	for _, c := range []struct {
		url  int
		want map[int]int
	}{
		{1, map[int]int{1: 1, 2: 1}},
		{2, map[int]int{3: 1}},
		{3, map[int]int{}},
	} {
		if got := urlIDs(s, c.url); !maps.Equal(got, c.want) {
			t.Errorf("url %d: visited %v, want %v", c.url, got, c.want)
		}
	}
	s.WalkURL(tagOf(1), func(o store.Object) { s.Remove(o, store.Swept) })
	if got := urlIDs(s, 1); len(got) != 0 {
		t.Errorf("visited %v after they were removed", got)
	}
	Empty(t, s)
}

func testWalkStops(t *testing.T, open New) {
	s := open(t, 4<<20)
	for i := range 500 {
		mustPut(t, s, spec{id: i, url: i, size: 1})
	}
	for _, stop := range []int{1, 2, 499, 500} {
		n := 0
		s.Walk(func(store.Object) bool { n++; return n < stop })
		if n != stop {
			t.Errorf("visited %d objects, want to stop at %d", n, stop)
		}
	}
	Empty(t, s)
}

// testWalkHoldsOne: however long a visit takes, it keeps nobody's bytes but
// those of the object that is visited.
func testWalkHoldsOne(t *testing.T, open New) {
	const objects = 20
	s := open(t, 1<<20)
	for i := range objects {
		mustPut(t, s, spec{id: i, url: i, size: 10_000})
	}
	s.Walk(func(visited store.Object) bool {
		for i := range objects {
			o := s.Get(keyOf(i), anything{})
			s.Remove(o, store.Removed)
			o.Release()
		}
		if got, want := s.Stats().Bytes, visited.Cost(); got != want {
			t.Errorf("%d bytes in use, the visited object takes %d", got, want)
		}
		return true
	})
	Empty(t, s)
}

// testWalkReenters: whoever visits may use the store, the visited key included.
func testWalkReenters(t *testing.T, open New) {
	s := open(t, 1<<20)
	for i := range 10 {
		mustPut(t, s, spec{id: i, url: i, size: 10})
	}
	visit := func(o store.Object) {
		id := idOf(o)
		if id < 10 {
			wants(t, s, id, anything{}, id)
			mustPut(t, s, spec{id: 10 + id, url: id, stamp: 1, size: 10})
			s.Remove(o, store.Removed)
			wants(t, s, id, anything{}, 10+id)
		}
	}
	s.WalkURL(tagOf(3), visit)
	s.Walk(func(o store.Object) bool { visit(o); return true })
	if n := s.Stats().Objects; n != 10 {
		t.Errorf("%d objects, want 10", n)
	}
	Empty(t, s)
}

// testWalkChurn: what is stored throughout a walk is visited exactly once,
// however much comes and goes beside it.
func testWalkChurn(t *testing.T, open New) {
	const stays = 400
	s := open(t, 16<<20)
	for i := range stays {
		mustPut(t, s, spec{id: i, url: i / 2, variant: fmt.Sprint("stays", i%2), size: 1})
	}
	stop := make(chan struct{})
	var churn sync.WaitGroup
	churn.Go(func() {
		for i := stays; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			url := i % (2 * stays) // half beside those that stay, half on new keys
			put(t, s, spec{id: i, url: url, variant: "churn", size: 1})
			if o := s.Get(keyOf((url+stays)%(2*stays)), matching{"churn"}); o.Found() {
				s.Remove(o, store.Removed)
				o.Release()
			}
		}
	})
	for range 5 {
		seen := ids(s)
		for i := range stays {
			if seen[i] != 1 {
				t.Errorf("object %d was visited %d times", i, seen[i])
			}
		}
		for i := range stays / 2 {
			byURL := urlIDs(s, i)
			if byURL[2*i] != 1 || byURL[2*i+1] != 1 {
				t.Errorf("url %d: visited %v", i, byURL)
			}
		}
	}
	close(stop)
	churn.Wait()
	Empty(t, s)
}
