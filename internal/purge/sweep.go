package purge

import (
	"slices"

	"github.com/rescind-edge/rescind/internal/field"
)

// foldAtLeast is how many tags one Apply folds besides twice as many as it
// adds, while marks are over their limit: the excess shrinks with every purge,
// and none pays for many others.
const foldAtLeast = 16

// foldLocked keeps marks within their memory: it moves the oldest purges of the
// service that takes most into its fixed array, for as long as there is too
// much, and about most tags at the most. What is folded purges too much: it is
// hard, hits every object that shares its slot, and cannot be undone.
func (e *Engine) foldLocked(most int) {
	for e.mu.bytes > e.cfg.MarkBytes && most > 0 {
		s := e.largestLocked()
		if len(s.records) == 0 {
			return
		}
		r := s.records[0]
		e.foldRecordLocked(r)
		e.forgetLocked(r)
		most -= max(1, len(r.tags))
	}
}

func (e *Engine) largestLocked() *Service {
	var largest *Service
	e.services.Range(func(_, v any) bool {
		if s := v.(*Service); largest == nil || s.bytes > largest.bytes {
			largest = s
		}
		return true
	})
	return largest
}

func (e *Engine) foldRecordLocked(r *record) {
	s := r.service
	fold := s.folded.Load()
	if fold == nil {
		fold = new(folds)
		s.folded.Store(fold)
	}
	if r.predicates > 0 {
		for _, p := range s.armed() {
			if p.record == r {
				fold.raise(p.predicate.scope, r.pos)
				e.mu.stats.Folded++
			}
		}
		e.dropPredicatesLocked(r)
	}
	for _, tag := range r.tags {
		old := s.marks.get(tag)
		if old == nil || !slices.ContainsFunc(old.entries, func(x entry) bool { return x.pos == r.pos }) {
			continue
		}
		// First into the array, then out of the mark, and predicates likewise: a
		// look-up reads the array last, so it sees one of them at least.
		fold.raise(tag, r.pos)
		e.setLocked(s, tag, old, old.without(func(x *entry) bool { return x.pos == r.pos }))
		e.mu.stats.Folded++
	}
	s.foldEpoch.Add(1)
}

// forgetLocked removes the oldest record of a service.
func (e *Engine) forgetLocked(r *record) {
	s := r.service
	s.records[0] = nil
	if s.records = s.records[1:]; len(s.records) == 0 {
		s.records = nil
	}
	delete(e.mu.byID, r.id)
	if len(e.mu.byID) == 0 {
		e.mu.byID = make(map[ID]*record) // a map does not shrink
	}
	e.takeLocked(s, -r.bytes())
}

// Due tells whether a pass that begins now has something to do for purges: the
// oldest of a service can no longer be undone, or some are folded.
func (e *Engine) Due(now int64) bool {
	due := false
	e.mu.Lock()
	defer e.mu.Unlock()
	e.services.Range(func(_, v any) bool {
		s := v.(*Service)
		due = s.folded.Load() != nil || len(s.records) > 0 && s.records[0].settled(now)
		return !due
	})
	return due
}

// Sweep is one pass of a sweeper over everything that is stored.
type Sweep struct {
	now      int64
	services map[*Service]sweepState
}

type sweepState struct {
	floor field.Position
	epoch uint64
}

// BeginSweep starts a pass. The sweeper then settles every stored object (see
// Service.Settle), removes what is gone, writes the bounded times into the
// rest, and calls EndSweep. An object stored meanwhile belongs to a fetch that
// holds a lease or began later, so no mark it needs is dropped.
func (e *Engine) BeginSweep(now int64) Sweep {
	sw := Sweep{now: now, services: make(map[*Service]sweepState)}
	e.services.Range(func(_, v any) bool {
		s := v.(*Service)
		sw.services[s] = sweepState{floor: s.floor(), epoch: s.foldEpoch.Load()}
		return true
	})
	return sw
}

// sweepBatch bounds how long one step of EndSweep keeps purges waiting.
const sweepBatch = 512

// EndSweep drops the marks that nothing stored can need any more: those that
// could no longer be undone when the pass began and that no stored object or
// fetch under way is older than. It returns the number of purges whose marks
// are gone.
func (e *Engine) EndSweep(sw Sweep) (dropped int) {
	for s, state := range sw.services {
		for {
			n := e.dropBatch(s, state, sw.now)
			dropped += n
			if n < sweepBatch {
				break
			}
		}
		e.unfold(s, state)
	}
	return dropped
}

// dropBatch drops purges of a service from the oldest on. Positions and
// deadlines only grow along the list, so the first that must stay is followed
// by none that may go.
func (e *Engine) dropBatch(s *Service, state sweepState, now int64) (dropped int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for dropped < sweepBatch && len(s.records) > 0 {
		r := s.records[0]
		if r.pos > state.floor || !r.settled(now) {
			break
		}
		s.dropped.Store(uint64(r.pos))
		e.dropLocked(r)
		e.forgetLocked(r)
		dropped++
	}
	return dropped
}

// unfold clears what a pass made superfluous, unless more was folded during it:
// that may have been seen as an effect that could still be undone. It excludes
// purges, or what folds meanwhile would be cleared too.
func (e *Engine) unfold(s *Service, state sweepState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fold := s.folded.Load()
	if fold == nil || s.foldEpoch.Load() != state.epoch {
		return
	}
	empty := true
	for i := range fold {
		if fold[i].Load() <= uint64(state.floor) {
			fold[i].Store(0)
		} else {
			empty = false
		}
	}
	if empty {
		s.folded.Store(nil)
	}
}
