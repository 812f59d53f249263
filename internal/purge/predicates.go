package purge

import (
	"iter"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// armed is a predicate in force.
type armed struct {
	entry
	predicate *Predicate
	record    *record // the purge that it is a part of
}

// predicates are those in force in one service, in order of position. A list
// that is published does not change: what is added goes behind its end, into
// room that none of its readers sees, and taking away makes a new list. An
// object is tested against the part that is newer than what it was last found
// live at, so once against each.
type predicates struct {
	list []*armed
}

// matching yields the predicates after a position and up to another that
// match, newest first.
func (l *predicates) matching(o Subject, after, upTo field.Position) iter.Seq[*armed] {
	return func(yield func(*armed) bool) {
		if l == nil {
			return
		}
		for i := len(l.list) - 1; i >= 0 && l.list[i].pos > after; i-- {
			if p := l.list[i]; p.pos <= upTo && p.predicate.matches(o) && !yield(p) {
				return
			}
		}
	}
}

// armed returns the predicates of a service.
func (s *Service) armed() []*armed {
	if l := s.predicates.Load(); l != nil {
		return l.list
	}
	return nil
}

func (s *Service) publishLocked(list []*armed) {
	if len(list) == 0 {
		s.predicates.Store(nil)
		return
	}
	s.predicates.Store(&predicates{list})
}

// Bounds of the predicates of one service, which every object is tested
// against. A thousand headers take an object of fifteen fields some 80
// microseconds, once, and a thousand bans of two ordinary expressions half a
// millisecond. The weight lets that many of these stand, and bounds what those
// can cost that fill their own limits.
const (
	DefaultPredicates      = 1000
	DefaultPredicateWeight = 64_000 // instructions of what is compiled; text to compare with counts as one
)

// addPredicatesLocked puts a purge's predicates in force with the position that
// is published next. Where there are too many, the oldest fold.
func (e *Engine) addPredicatesLocked(now int64, r *record, list []*Predicate, effect Effect) {
	s := r.service
	for _, p := range list {
		for len(s.armed()) > 0 && !e.fits(s, p) {
			e.foldPredicateLocked(now, s.armed()[0])
		}
		r.predicates++
		s.weight += p.weight
		e.takeLocked(s, r.hold(p.bytes))
		s.publishLocked(append(s.armed(), &armed{
			entry:     entry{pos: r.pos, first: r.pos, id: r.id, effect: effect, until: r.until},
			predicate: p, record: r,
		}))
	}
}

func (e *Engine) fits(s *Service, p *Predicate) bool {
	return len(s.armed()) < e.cfg.Predicates && s.weight+p.weight <= e.cfg.PredicateWeight
}

// foldPredicateLocked turns a predicate into a mark on what bounds it: its
// path, its host or everything. The mark hits what the predicate does not; it
// can be undone as the predicate could. Objects that were found live after the
// purge are past it. The mark is written first and the list changed second, and
// who looks up reads them the other way round, so it finds one of the two.
func (e *Engine) foldPredicateLocked(now int64, p *armed) {
	r, tag := p.record, p.predicate.scope
	if !carries(r.tags, tag) {
		e.markTagLocked(now, r, tag, p.effect)
		r.tags = append(r.tags, tag)
		e.takeLocked(r.service, r.hold(tagBytes))
	}
	e.mu.stats.Folded++
	e.removePredicatesLocked(r.service, func(x *armed) bool { return x == p })
}

// dropPredicatesLocked takes those of one purge out of force.
func (e *Engine) dropPredicatesLocked(r *record) {
	if r.predicates > 0 {
		e.removePredicatesLocked(r.service, func(x *armed) bool { return x.record == r })
	}
}

// removePredicatesLocked takes predicates out of force.
func (e *Engine) removePredicatesLocked(s *Service, drop func(*armed) bool) {
	list := s.armed()
	kept := make([]*armed, 0, len(list))
	for _, p := range list {
		if !drop(p) {
			kept = append(kept, p)
			continue
		}
		p.record.predicates--
		s.weight -= p.predicate.weight
		e.takeLocked(s, p.record.hold(-p.predicate.bytes))
	}
	s.publishLocked(kept)
}

// Room tells how long a purge that brings predicates should wait so that those
// of its service stay within half of their bounds, and purges that arrive from
// elsewhere and cannot be refused find room; 0: not at all. The error wraps
// ErrBadSelector: however long it waited, they would be too much.
func (e *Engine) Room(now int64, service string, more []*Predicate) (time.Duration, error) {
	count, weight := len(more), 0
	for _, p := range more {
		weight += p.weight
	}
	maxCount, maxWeight := e.cfg.Predicates/2, e.cfg.PredicateWeight/2
	if count > maxCount || weight > maxWeight {
		return 0, badSelector("%d header patterns and bans of %d instructions in one purge; the limits are %d and %d",
			count, weight, maxCount, maxWeight)
	}
	if count == 0 {
		return 0, nil
	}
	s := e.Service(service)
	e.mu.Lock()
	defer e.mu.Unlock()
	list := s.armed()
	count, weight = count+len(list), weight+s.weight
	if count <= maxCount && weight <= maxWeight {
		return 0, nil
	}
	oldest := 0
	for ; count > maxCount || weight > maxWeight; oldest++ {
		count, weight = count-1, weight-list[oldest].predicate.weight
	}
	// Once it cannot be undone, the next walk over what is stored takes it away.
	return time.Duration(max(list[oldest-1].until-now, 0)) + walksEvery, nil
}

// walksEvery is about how long the next walk of a sweeper takes to come.
const walksEvery = 10 * time.Second
