package purge

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// TestTableIsAMap compares the table with a map over random changes to tags
// that crowd together: in few shards, and in runs of neighbouring slots.
func TestTableIsAMap(t *testing.T) {
	rng := newRand(t)
	var table table
	model := map[field.Tag]*mark{}
	for range 100_000 {
		tag := field.Tag(rng.Uint64N(3)<<62 | rng.Uint64N(40)<<3 | rng.Uint64N(2))
		if tag == 1 {
			continue // shares its slot with 0
		}
		switch rng.IntN(4) {
		case 0, 1:
			model[tag] = &mark{}
			table.set(tag, model[tag])
		case 2:
			delete(model, tag)
			table.set(tag, nil)
		}
		if got := table.get(tag); got != model[tag] {
			t.Fatalf("tag %x: got %p, want %p", tag, got, model[tag])
		}
	}
	if n := table.count(); n != len(model) {
		t.Errorf("count %d, want %d", n, len(model))
	}
	for tag, want := range model {
		if got := table.get(tag); got != want {
			t.Errorf("tag %x: got %p, want %p", tag, got, want)
		}
	}
}

// TestTagZeroIsATag holds that the hash that means "free" is purged like any
// other.
func TestTagZeroIsATag(t *testing.T) {
	r := newRig(t, Config{})
	r.apply(Effect{}, 0)
	r.expect("with tag 0", Withdrawn, 0, 0)
	r.now += 61 * second
	r.EndSweep(r.BeginSweep(r.now))
	r.expect("swept", Live, 0, 0)
}

// TestTableForgetsItsPast holds that tags purged once and dropped do not keep
// the table large: names in purges are often used only once.
func TestTableForgetsItsPast(t *testing.T) {
	var table table
	for i := range 40_000 {
		table.set(spread(i), &mark{})
		if i >= 100 {
			table.set(spread(i-100), nil)
		}
	}
	slots := 0
	for i := range table.shards {
		if s := table.shards[i].Load(); s != nil {
			slots += len(s.list)
		}
	}
	if slots > 64*64 {
		t.Errorf("%d slots for 100 marks", slots)
	}
	if table.set(spread(1<<30), nil); table.count() != 100 {
		t.Errorf("%d marks", table.count())
	}
}

// TestReadersNeverMissAMark holds that a mark that stands is seen at every
// moment, while its table grows, shrinks and is rebuilt around it.
func TestReadersNeverMissAMark(t *testing.T) {
	var table table
	standing := spreadTags(0, 200)
	for _, tag := range standing {
		table.set(tag, &mark{entries: []entry{{pos: field.Position(tag)}}})
	}
	var stop atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for !stop.Load() {
				for _, tag := range standing {
					m := table.get(tag)
					if m == nil || m.entries[0].pos != field.Position(tag) {
						t.Errorf("tag %x has the mark %v", tag, m)
						return
					}
				}
			}
		})
	}
	for round := range 20 {
		for i := range 3000 {
			table.set(spread(1000*round+1000+i), &mark{entries: []entry{{}}})
		}
		for i := range 3000 {
			table.set(spread(1000*round+1000+i), nil)
		}
		for _, tag := range standing { // replaced, as a second purge does
			table.set(tag, &mark{entries: []entry{{pos: field.Position(tag)}}})
		}
	}
	stop.Store(true)
	readers.Wait()
}
