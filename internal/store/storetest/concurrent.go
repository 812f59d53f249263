package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/internal/store"
)

// testConcurrent lets many users at a small store at once. Each checks the
// content of what it is given; at the end the books must balance.
func testConcurrent(t *testing.T, open New) {
	s := open(t, 512<<10)
	seed := random(t).Uint64()
	var users sync.WaitGroup
	for g := range 8 {
		users.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(g)))
			for i := range 400 {
				use(t, s, rnd, g*1000+i)
			}
		})
	}
	users.Wait()

	byTag := make(map[int]int)
	for url := range modelURLs {
		maps.Insert(byTag, maps.All(urlIDs(s, url)))
	}
	if all := ids(s); !maps.Equal(all, byTag) {
		t.Errorf("Walk visits %v, WalkURL %v", all, byTag)
	}
	if n := s.Stats().Objects; n != int64(len(byTag)) {
		t.Errorf("%d objects counted, %d visited", n, len(byTag))
	}
	Empty(t, s)
}

// use does one random thing.
func use(t *testing.T, s store.Store, rnd *rand.Rand, id int) {
	url := rnd.IntN(modelURLs)
	switch rnd.IntN(10) {
	case 0, 1, 2:
		sp := randomSpec(rnd, id, 40_000)
		sp.judge = judging(store.Verdict{State: store.State(rnd.IntN(4)), Times: forever})
		put(t, s, sp)
	case 3, 4, 5, 6:
		if o := s.Get(keyOf(url), matching{fmt.Sprint(rnd.IntN(modelVariants))}); o.Found() {
			check(t, o)
			o.Release()
		}
	case 7:
		if o := s.Get(keyOf(url), anything{}); o.Found() {
			s.Remove(o, store.Swept)
			check(t, o)
			o.Release()
		}
	case 8:
		s.Walk(func(o store.Object) bool {
			check(t, o)
			return rnd.IntN(20) > 0
		})
	case 9:
		s.WalkURL(tagOf(url), func(o store.Object) {
			if rnd.IntN(4) == 0 {
				s.Remove(o, store.Expired)
			}
		})
	}
}
