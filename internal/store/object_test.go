package store_test

import (
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

func TestCheckedOnlyGrows(t *testing.T) {
	_, o := newLoose(store.HeadSpec{Stamp: 7}, store.Content{})
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
	_, o := newLoose(store.HeadSpec{Times: own}, store.Content{})
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
	in := newRoom(1 << 20)
	body := written(t, in, pattern(100))
	content, ok := body.Keep(1)
	body.Release()
	if !ok {
		t.Fatal("not kept")
	}
	k, o := newLoose(store.HeadSpec{}, content)
	o.Retain()
	o.Release()
	equal(t, "freed while one is left", k.freed, 0)
	equal(t, "cost", o.Cost(), 100+in.used())
	o.Release()
	equal(t, "freed", k.freed, 1)
	equal(t, "bytes at the end", in.used(), 0)
	store.Object{}.Release() // nothing
	defer func() {
		if recover() == nil {
			t.Error("released once more than it was retained, and nobody noticed")
		}
	}()
	o.Release()
}

// TestBoundsAreNeverOutOfOrder: who reads bounds while they shrink sees times
// that are in order all the same.
func TestBoundsAreNeverOutOfOrder(t *testing.T) {
	_, o := newLoose(store.HeadSpec{Times: field.Times{Fresh: 1e9, SWR: 1e9, SIE: 1e9, Keep: 1e9}}, store.Content{})
	var all sync.WaitGroup
	all.Go(func() {
		for i := int64(100_000); i > 0; i-- {
			o.Bind(field.Times{Fresh: i, SWR: i, SIE: i, Keep: i})
		}
	})
	for i := 0; i < 100_000; i++ {
		if b := o.Times(); b.Fresh > b.SWR || b.Fresh > b.SIE || b.SWR > b.Keep || b.SIE > b.Keep {
			t.Fatalf("%+v", b)
		}
	}
	all.Wait()
}

func TestHits(t *testing.T) {
	_, o := newLoose(store.HeadSpec{}, store.Content{})
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
