package purge

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// State is the gist of a Verdict.
type State uint8

const (
	Live      State = iota // no purge concerns the object
	Softened               // soft purges bound its times
	Withdrawn              // a hard purge took it
)

func (s State) String() string {
	return [...]string{"live", "softened", "withdrawn"}[s]
}

// Verdict is what the purges of a service say of one object.
type Verdict struct {
	State State
	Times field.Times    // the object's times, bounded; its own where State is Live
	By    ID             // the latest purge that decided; zero where unknown or none
	UpTo  field.Position // every purge up to here was considered
}

// Service holds the marks and predicates of one service. Its methods take no
// lock that Apply holds, apart from Begin, which only fetches call.
type Service struct {
	id         string
	position   atomic.Uint64 // last purge of this service that is applied
	generation atomic.Uint64
	marks      table
	predicates atomic.Pointer[predicates]
	folded     atomic.Pointer[folds]
	foldEpoch  atomic.Uint64
	dropped    atomic.Uint64 // last purge whose marks a sweep dropped
	undo       atomic.Int64  // nanoseconds for which a purge can be undone

	// Under the engine's lock.
	until   int64     // undo deadline of the latest purge
	records []*record // in order of position, and so of deadline
	bytes   int64     // of marks, predicates and records
	weight  int       // of predicates

	leases struct {
		sync.Mutex
		held map[field.Position]int
	}
}

// foldSlots is the size of the array that purges fold into once marks take too
// much memory: 32 KiB a service that needs it.
const foldSlots = 4096

type folds [foldSlots]atomic.Uint64

// raise makes the purges of a tag count up to a position. The engine's lock is
// held.
func (f *folds) raise(tag field.Tag, pos field.Position) {
	if slot := &f[tag%foldSlots]; slot.Load() < uint64(pos) {
		slot.Store(uint64(pos))
	}
}

// foldedAfter tells whether a purge of the tag, or of another in its slot, that
// came after a position has folded. It must be asked after the tag's mark was
// read: folding writes the array first and the mark second, so whoever finds an
// effect gone from the mark finds it here.
func (s *Service) foldedAfter(tag field.Tag, p field.Position) bool {
	fold := s.folded.Load()
	return fold != nil && fold[tag%foldSlots].Load() > uint64(p)
}

// Position returns the position of the last applied purge of the service. An
// object that was found live up to it is live.
func (s *Service) Position() field.Position { return field.Position(s.position.Load()) }

// Dropped returns the position of the last purge whose marks are dropped. Of
// what began before it and was not visited by the sweep that dropped them,
// because it had left the store, a verdict of Live says nothing.
func (s *Service) Dropped() field.Position { return field.Position(s.dropped.Load()) }

// SetUndoWindow sets for how long purges to come can be undone; negative means
// not at all.
func (s *Service) SetUndoWindow(d time.Duration) { s.undo.Store(int64(max(d, 0))) }

// Generation counts the purges of everything that were asked for so far.
func (s *Service) Generation() uint64 { return s.generation.Load() }

// Judge gives the verdict on an object that no purge up to after concerns,
// since its fetch began there or it was found live up to there, and whose own
// times are given. Marks are read after the position, so a verdict of Live may
// be remembered for it; any other must not be, since an undo can take it back.
func (s *Service) Judge(o Subject, after field.Position, own field.Times) Verdict {
	upTo := s.Position()
	if upTo <= after {
		return Verdict{Times: own, UpTo: upTo} // nothing happened since
	}
	v := Verdict{Times: own, UpTo: upTo}
	s.judge(&v, o, nil, after)
	return v
}

// JudgeRenewed gives the verdict on what a 304 (RFC 9111 section 4.3.4) makes
// of a stored response: old is what it was, next what it becomes. It is
// withdrawn where either is. Its times are bounded by the soft purges of what
// only old was; those of next bound it at each look-up, and may be undone.
func (s *Service) JudgeRenewed(old, next Subject, after field.Position, own field.Times) Verdict {
	v := s.Judge(next, after, own)
	if v.State != Withdrawn {
		v = Verdict{Times: own, UpTo: s.Position()}
		s.judge(&v, old, next, after)
	}
	return v
}

// judge completes a verdict that holds the object's own times and the position.
// It leaves out the purges that concern but, where there is one.
func (s *Service) judge(v *Verdict, o, but Subject, after field.Position) {
	own, newest := v.Times, field.Position(0)
	list := s.predicates.Load() // before marks, as foldPredicateLocked demands
	for i := range o.NumTags() {
		tag := o.Tag(i)
		if but != nil && carries(but, tag) {
			continue
		}
		m := s.marks.get(tag)
		if s.foldedAfter(tag, after) {
			v.State = Withdrawn
		}
		if m == nil {
			continue
		}
		for j := range m.entries {
			// Not what came before, nor what was not published when this began.
			if e := &m.entries[j]; e.pos > after && e.first <= v.UpTo {
				newest = v.add(e, own, newest)
			}
		}
	}
	if v.State != Withdrawn { // testing costs, and nothing makes it worse
		for p := range list.matching(o, after, v.UpTo) {
			if but != nil && p.predicate.matches(but) {
				continue
			}
			if newest = v.add(&p.entry, own, newest); v.State == Withdrawn {
				break
			}
		}
	}
	if v.State == Withdrawn {
		v.Times = field.Times{}
	}
}

// add counts the effect of a purge that concerns the object, and returns the
// position of the latest that decided: newest, or this one.
func (v *Verdict) add(e *entry, own field.Times, newest field.Position) field.Position {
	state := Softened
	if e.effect.Mode == Hard {
		state = Withdrawn
	} else {
		v.Times = v.Times.Min(e.effect.Bound(own))
	}
	if state > v.State || state == v.State && e.pos >= newest {
		v.State, v.By = state, e.id
		return e.pos
	}
	return newest
}

// Concerned tells whether a purge after one position and up to another, hard
// or soft, matches. A request that began at upTo must not share a fetch that
// began at after where it does.
func (s *Service) Concerned(o Subject, after, upTo field.Position) bool {
	if upTo <= after || s.Position() <= after {
		return false
	}
	list := s.predicates.Load()
	for i := range o.NumTags() {
		tag := o.Tag(i)
		m := s.marks.get(tag)
		if s.foldedAfter(tag, after) {
			return true
		}
		if m != nil {
			for j := range m.entries {
				if e := &m.entries[j]; e.pos > after && e.first <= upTo {
					return true
				}
			}
		}
	}
	for range list.matching(o, after, upTo) {
		return true
	}
	return false
}

// ever is no purge's position: all come before.
const ever = ^field.Position(0)

// Settled is what can no longer change about an object, short of new purges.
type Settled struct {
	Gone  bool           // a purge that can no longer be undone took it
	Spare bool           // only purges that can still be undone took it
	Times field.Times    // its times, bounded by soft purges that can no longer be undone
	UpTo  field.Position // no purge up to here concerns it; 0 where one does
}

// Settle tells a sweeper what to do with an object that no purge up to after
// concerns.
func (s *Service) Settle(o Subject, after field.Position, own field.Times, now int64) Settled {
	r := Settled{Times: own, UpTo: s.Position()}
	list := s.predicates.Load()
	for i := range o.NumTags() {
		tag := o.Tag(i)
		m := s.marks.get(tag)
		if s.foldedAfter(tag, after) {
			r.Gone, r.UpTo = true, 0
		}
		if m == nil {
			continue
		}
		for j := range m.entries {
			if e := &m.entries[j]; e.pos > after {
				r.add(e, own, now)
			}
		}
	}
	if !r.Gone {
		for p := range list.matching(o, after, ever) {
			if r.add(&p.entry, own, now); r.Gone {
				break
			}
		}
	}
	r.Spare = r.Spare && !r.Gone
	return r
}

// add counts the effect of a purge that concerns the object.
func (r *Settled) add(e *entry, own field.Times, now int64) {
	r.UpTo = 0
	switch final := e.final(now); {
	case e.effect.Mode == Hard && final:
		r.Gone = true
	case e.effect.Mode == Hard:
		r.Spare = true
	case final:
		r.Times = r.Times.Min(e.effect.Bound(own))
	}
}

// Touched tells whether one purge changed what may be done with an object that
// was usable without it.
func (s *Service) Touched(o Subject, after field.Position, id ID) bool {
	touched := false
	list := s.predicates.Load()
	for i := range o.NumTags() {
		tag := o.Tag(i)
		m := s.marks.get(tag)
		if s.foldedAfter(tag, after) {
			return false
		}
		if m == nil {
			continue
		}
		for j := range m.entries {
			e := &m.entries[j]
			switch {
			case e.pos <= after:
			case e.id == id:
				touched = true
			case e.effect.Mode == Hard:
				return false
			}
		}
	}
	for p := range list.matching(o, after, ever) {
		switch {
		case p.id == id:
			touched = true
		case p.effect.Mode == Hard:
			return false
		}
	}
	return touched
}
