package purge

import (
	"slices"

	"github.com/rescind-edge/rescind/internal/field"
)

// foldLocked keeps marks within their memory: it moves the oldest purges into
// the fixed array, an eighth of the limit at a time so that the work is spread
// over many purges. What is folded purges too much, hits every object that
// shares its slot, and cannot be undone.
func (e *Engine) foldLocked() {
	if e.mu.bytes <= e.cfg.MarkBytes {
		return
	}
	target := e.cfg.MarkBytes - e.cfg.MarkBytes/8
	done := 0
	for _, r := range e.mu.records {
		if e.mu.bytes <= target {
			break
		}
		if !r.gone {
			e.foldRecordLocked(r)
		}
		done++
	}
	clear(e.mu.records[:done])
	e.mu.records = e.mu.records[done:]
}

func (e *Engine) foldRecordLocked(r *record) {
	s := r.service
	fold := s.folded.Load()
	if fold == nil {
		fold = new(folds)
		s.folded.Store(fold)
	}
	for _, tag := range r.tags {
		old := s.marks.get(tag)
		if old == nil || !slices.ContainsFunc(old.entries, func(x entry) bool { return x.pos == r.pos }) {
			continue
		}
		// First into the array, then out of the mark: a look-up between the
		// two sees both, never neither.
		if slot := &fold[tag%foldSlots]; slot.Load() < uint64(r.pos) {
			slot.Store(uint64(r.pos))
		}
		e.setLocked(s, tag, old, old.without(func(x *entry) bool { return x.pos == r.pos }))
		e.mu.stats.Folded++
	}
	s.foldEpoch.Add(1)
	e.forgetLocked(r)
}

func (e *Engine) forgetLocked(r *record) {
	r.gone = true
	delete(e.mu.byID, r.id)
	e.mu.bytes -= r.bytes()
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
	e.mu.Lock()
	records := slices.Clone(e.mu.records)
	e.mu.Unlock()
	for batch := range slices.Chunk(records, sweepBatch) {
		dropped += e.dropBatch(sw, batch)
	}
	e.mu.Lock()
	e.mu.records = slices.DeleteFunc(e.mu.records, func(r *record) bool { return r.gone })
	e.mu.Unlock()
	for s, state := range sw.services {
		s.unfold(state)
	}
	return dropped
}

func (e *Engine) dropBatch(sw Sweep, batch []*record) (dropped int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range batch {
		if !r.gone && sw.settled(r) {
			e.dropLocked(r)
			e.forgetLocked(r)
			dropped++
		}
	}
	return dropped
}

// settled tells whether everything that a purge can hit was settled under it.
func (sw Sweep) settled(r *record) bool {
	state, known := sw.services[r.service]
	return known && r.pos <= state.floor && (r.until <= sw.now || r.void && r.lost == 0)
}

// unfold clears what a pass made superfluous, unless more was folded during
// it: that may have been seen as an effect that could still be undone.
func (s *Service) unfold(state sweepState) {
	fold := s.folded.Load()
	if fold == nil || s.foldEpoch.Load() != state.epoch {
		return
	}
	for i := range fold {
		if fold[i].Load() <= uint64(state.floor) {
			fold[i].Store(0)
		}
	}
}
