package store_test

import (
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

func TestCheckedOnlyGrows(t *testing.T) {
	o := store.NewObject(field.Key{}, store.NewHead(store.HeadSpec{Stamp: 7}), nil, nil)
	equal(t, "at first", o.Checked(), 7)
	o.MarkChecked(5)
	equal(t, "after a lesser", o.Checked(), 7)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 1000 {
				o.MarkChecked(field.Position(i*8 + g))
			}
		})
	}
	all.Wait()
	equal(t, "after many", o.Checked(), 7999)
}

func TestBindOnlyShortens(t *testing.T) {
	own := field.Times{Fresh: 10, SWR: 20, SIE: 30, Keep: 40}
	o := store.NewObject(field.Key{}, store.NewHead(store.HeadSpec{Times: own}), nil, nil)
	equal(t, "own", o.Times(), own)
	o.Bind(field.Times{Fresh: 5, SWR: 50, SIE: 25, Keep: 50})
	equal(t, "bound", o.Times(), field.Times{Fresh: 5, SWR: 20, SIE: 25, Keep: 40})
	o.Bind(own)
	equal(t, "bound again", o.Times(), field.Times{Fresh: 5, SWR: 20, SIE: 25, Keep: 40})
	equal(t, "the Head's", o.Head.Times(), own)
}

func TestUsable(t *testing.T) {
	for state, want := range map[store.State]bool{store.Live: true, store.Soft: true, store.Dead: false, store.Spare: false} {
		if got := (store.Verdict{State: state}).Usable(); got != want {
			t.Errorf("state %d: usable is %v", state, got)
		}
	}
}

func TestObjectReferences(t *testing.T) {
	budget := &budget{limit: 1 << 20}
	o := store.NewObject(field.Key{}, store.NewHead(store.HeadSpec{}), written(t, budget, pattern(100)), nil)
	o.Retain()
	o.Release()
	equal(t, "bytes while one is left", budget.used.Load(), 100)
	o.Release()
	equal(t, "bytes at the end", budget.used.Load(), 0)

	bare := store.NewObject(field.Key{}, store.NewHead(store.HeadSpec{}), nil, nil)
	bare.Retain()
	bare.Release()
	bare.Release()
}

func TestHits(t *testing.T) {
	o := store.NewObject(field.Key{}, store.NewHead(store.HeadSpec{}), nil, nil)
	equal(t, "first", o.Hit(), 1)
	equal(t, "second", o.Hit(), 2)
	equal(t, "in all", o.Hits(), 2)
}

func TestGoneNames(t *testing.T) {
	seen := make(map[string]bool)
	for why := store.Evicted; why <= store.Removed; why++ {
		seen[why.String()] = true
	}
	equal(t, "different names", len(seen), 5)
}
