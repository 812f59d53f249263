package purge

import (
	"slices"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// Config of an Engine. The zero value is usable.
type Config struct {
	// UndoWindow is how long after its application a purge can be undone with
	// the objects still there, where Service.SetUndoWindow says nothing else;
	// 0 means DefaultUndoWindow, negative none.
	UndoWindow time.Duration
	// MarkBytes bounds the memory of all marks; 0 means DefaultMarkBytes.
	// Past it the oldest fold into a fixed array and purge too much.
	MarkBytes int64
	// Predicates and PredicateWeight bound the predicates in force in one
	// service: their number, and the instructions of what is compiled of them.
	// 0 means DefaultPredicates and DefaultPredicateWeight. Past either the
	// oldest fold into marks and purge too much.
	Predicates, PredicateWeight int
	// Start is the position to begin above.
	Start field.Position
}

// Defaults of a Config.
const (
	DefaultUndoWindow = time.Minute
	DefaultMarkBytes  = 128 << 20 // about 600,000 tags purged between two sweeps
)

// Purge is an instruction to withdraw what carries any of its tags or matches
// any of its predicates.
type Purge struct {
	ID         ID
	Service    string
	Tags       []field.Tag
	Predicates []*Predicate
	Effect     Effect // Effect.At is when it was issued; 0: now
	All        bool   // somebody purges everything: counts as a generation
	// Position is where the purge stands in the order of what the node applies; 0,
	// or one that has passed: behind all others.
	Position field.Position
}

// Applied is the outcome of Apply.
type Applied struct {
	Position field.Position
	Known    bool // the same purge had been applied before; nothing changed
	Void     bool // it had been reverted before it came; it has no effect
}

// Engine applies purges. Apply, Revert and the sweep calls may come from many
// goroutines; they exclude each other and no look-up.
type Engine struct {
	cfg      Config
	services sync.Map // id to *Service

	mu struct {
		sync.Mutex
		applied  field.Position
		until    int64     // undo deadline of the latest purge
		records  []*record // in order of position; sweeps compact it
		byID     map[ID]*record
		reverted map[ID]struct{}
		order    []ID  // of reverted, oldest first
		bytes    int64 // of all services
		stats    Stats
	}
}

// Stats are the engine's counters and present sizes.
type Stats struct {
	Applied    uint64 // purges
	Reverted   uint64
	Marks      int    // tags that have a mark
	Predicates int    // in force
	Bytes      int64  // of marks, predicates and records
	Folded     uint64 // entries and predicates folded for want of space: each purges too much
	Position   field.Position
}

// NewEngine returns an engine that has applied nothing.
func NewEngine(cfg Config) *Engine {
	if cfg.UndoWindow == 0 {
		cfg.UndoWindow = DefaultUndoWindow
	}
	if cfg.MarkBytes <= 0 {
		cfg.MarkBytes = DefaultMarkBytes
	}
	if cfg.Predicates <= 0 {
		cfg.Predicates = DefaultPredicates
	}
	if cfg.PredicateWeight <= 0 {
		cfg.PredicateWeight = DefaultPredicateWeight
	}
	e := &Engine{cfg: cfg}
	e.mu.applied = cfg.Start
	e.mu.byID = make(map[ID]*record)
	e.mu.reverted = make(map[ID]struct{})
	return e
}

// Service returns the marks of a service, which exist from the first time it
// is asked for.
func (e *Engine) Service(id string) *Service {
	if s, ok := e.services.Load(id); ok {
		return s.(*Service)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	fresh := &Service{id: id}
	fresh.SetUndoWindow(e.cfg.UndoWindow)
	fresh.position.Store(uint64(e.mu.applied))
	s, _ := e.services.LoadOrStore(id, fresh)
	return s.(*Service)
}

// Apply makes a purge take effect: when it returns, no look-up that begins
// afterwards uses a matching object whose fetch began before. Its cost depends
// on the number of tags and predicates, not on the number of objects. Applying a purge again,
// by its ID, changes nothing.
func (e *Engine) Apply(now int64, p Purge) Applied {
	s := e.Service(p.Service)
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.mu.byID[p.ID]; r != nil {
		return Applied{Position: r.pos, Known: true, Void: r.void}
	}
	pos := max(e.mu.applied+1, p.Position)
	r := &record{id: p.ID, service: s, pos: pos, tags: distinct(p.Tags), until: s.deadline(now)}
	r.hold(tagBytes * int64(len(r.tags)))
	e.takeLocked(s, r.bytes())
	_, r.void = e.mu.reverted[p.ID]
	if !r.void {
		effect := effectAt(p.Effect, now)
		e.markLocked(now, r, effect)
		e.addPredicatesLocked(now, r, p.Predicates, effect)
	}
	if p.All && !r.void {
		s.generation.Add(1)
	}
	s.position.Store(uint64(pos)) // publishes the marks
	e.mu.applied = pos
	s.records = append(s.records, r)
	e.mu.byID[p.ID] = r
	e.mu.stats.Applied++
	e.foldLocked(2*(len(r.tags)+len(p.Predicates)) + foldAtLeast)
	return Applied{Position: pos, Void: r.void}
}

// distinct returns a copy of tags without repeats.
func distinct(tags []field.Tag) []field.Tag {
	tags = slices.Clone(tags)
	slices.Sort(tags)
	return slices.Compact(tags)
}

// effectAt settles when an effect began: the earlier of issue and first local
// application, so that no clock running ahead keeps anything fresh for longer.
func effectAt(effect Effect, now int64) Effect {
	if effect.At == 0 || effect.At > now {
		effect.At = now
	}
	return effect.Normal()
}

// deadline returns the instant up to which a purge can be undone. It never
// decreases within a service, although a clock may: what a later purge of the
// same tag outlasts must have become final no later. The engine's lock is held.
func (s *Service) deadline(now int64) int64 {
	s.until = max(s.until, now+s.undo.Load())
	return s.until
}

func (e *Engine) markLocked(now int64, r *record, effect Effect) {
	for _, tag := range r.tags {
		e.markTagLocked(now, r, tag, effect)
	}
}

func (e *Engine) markTagLocked(now int64, r *record, tag field.Tag, effect Effect) {
	old := r.service.marks.get(tag)
	next, merged := old.with(entry{pos: r.pos, first: r.pos, id: r.id, effect: effect, until: r.until}, now)
	for _, id := range merged {
		if id == r.id {
			r.lost++
		} else if lost := e.mu.byID[id]; lost != nil {
			lost.lost++
		}
	}
	e.setLocked(r.service, tag, old, next)
}

func (e *Engine) setLocked(s *Service, tag field.Tag, old, next *mark) {
	if old == next {
		return
	}
	s.marks.set(tag, next)
	e.takeLocked(s, next.bytes()-old.bytes())
}

// takeLocked counts bytes that a service takes, or gives back.
func (e *Engine) takeLocked(s *Service, n int64) {
	s.bytes += n
	e.mu.bytes += n
}

// dropLocked removes a record's entries from their marks. Where the entry of a
// position was merged, what it merged into goes with the latest of its purges.
func (e *Engine) dropLocked(r *record) {
	for _, tag := range r.tags {
		if old := r.service.marks.get(tag); old != nil {
			e.setLocked(r.service, tag, old, old.without(func(x *entry) bool { return x.pos == r.pos }))
		}
	}
	e.dropPredicatesLocked(r)
}

// Stats returns the engine's counters.
func (e *Engine) Stats() Stats {
	marks, standing := 0, 0
	e.services.Range(func(_, v any) bool {
		s := v.(*Service)
		marks += s.marks.count()
		standing += len(s.armed())
		return true
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	st := e.mu.stats
	st.Marks, st.Predicates, st.Bytes, st.Position = marks, standing, e.mu.bytes, e.mu.applied
	return st
}
