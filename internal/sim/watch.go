package sim

import (
	"sync"
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// watch stands between a node's control and its engine and writes down what takes
// effect there, and between which ticks of the run.
type watch struct {
	control.Engine
	ticks *atomic.Int64

	mu       sync.Mutex
	applied  []*applied
	reverted map[purge.ID]bool // asked for, whatever came of it
	undone   map[purge.ID]bool // in full
}

// applied is one purge that took effect on a node.
type applied struct {
	from, to int64 // ticks
	now      int64 // the node's time of day
	purge.Purge
}

func newWatch(e control.Engine, ticks *atomic.Int64) *watch {
	return &watch{Engine: e, ticks: ticks, reverted: make(map[purge.ID]bool), undone: make(map[purge.ID]bool)}
}

// Apply implements control.Engine.
func (w *watch) Apply(now int64, p purge.Purge) purge.Applied {
	a := &applied{from: w.ticks.Add(1), now: now, Purge: p}
	done := w.Engine.Apply(now, p)
	a.to = w.ticks.Add(1)
	if !done.Void {
		w.mu.Lock()
		w.applied = append(w.applied, a)
		w.mu.Unlock()
	}
	return done
}

// Revert implements control.Engine. A purge counts as reverted from before it is.
func (w *watch) Revert(now int64, id purge.ID) purge.Undo {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.reverted[id]
	w.reverted[id] = true
	done := w.Engine.Revert(now, id)
	switch done {
	case purge.UndoTooLate:
		w.reverted[id] = before
	case purge.Undone:
		w.undone[id] = true
	}
	return done
}

// forbids returns a purge that forbids a node to use, for a request that began at
// a tick, an object with some tags whose fetch began at another, and that would
// be fresh until an instant; nil: none.
func (w *watch) forbids(tags []field.Tag, began, asked, fresh int64) *applied {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.applied {
		if began < a.from && a.to < asked && !w.reverted[a.ID] && a.meets(tags) && a.breaks(fresh) {
			return a
		}
	}
	return nil
}

func (a *applied) meets(tags []field.Tag) bool {
	for _, t := range a.Tags {
		for _, other := range tags {
			if t == other {
				return true
			}
		}
	}
	return false
}

// breaks tells whether the purge allows nothing to be fresh until an instant.
func (a *applied) breaks(fresh int64) bool {
	e := a.Effect.Normal()
	return e.Mode == purge.Hard || fresh > a.now+int64(e.TTL)
}

// marksStand tells whether a purge that was undone in full still withdraws
// something.
func (w *watch) marksStand(s *purge.Service) *applied {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.applied {
		if !w.undone[a.ID] {
			continue
		}
		v := s.Judge(purge.Tags(a.Tags), 0, field.Times{})
		if v.State != purge.Live && v.By == a.ID {
			return a
		}
	}
	return nil
}
