package memory

import "github.com/rescind-edge/rescind/internal/field"

// outcome says what became of an insertion.
type outcome uint8

const (
	inserted   outcome = iota
	superseded         // its variant is stored with a greater stamp
	tooOld             // its key has the most variants, all of greater stamps
)

// insertion is what insert did. replaced and oldest are the entries that had to
// leave, nil where none had to.
type insertion struct {
	outcome          outcome
	replaced, oldest *entry
}

// insert adds e as the newest of its stamp, and keeps limit variants of its key.
func (t *table) insert(e *entry, limit int) insertion {
	key, stamp, variant := e.object.Key, e.object.Head.Stamp(), e.object.Head.Variant()
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()

	var front *entry // the last that stays in front of e
	ahead := 0       // how many those are
	var same, before *entry
	var prev *entry
	for at := s.mu.chains[key]; at != nil; prev, at = at, at.next {
		if at.object.Head.Stamp() > stamp {
			front = at
			ahead++
		}
		if at.object.Head.Variant() == variant {
			same, before = at, prev
		}
	}
	switch {
	case same != nil && same.object.Head.Stamp() > stamp:
		return insertion{outcome: superseded}
	case ahead >= limit:
		return insertion{outcome: tooOld}
	case same != nil:
		s.cutLocked(key, before, same)
	}
	s.linkLocked(key, front, e)
	return insertion{replaced: same, oldest: s.cutPastLocked(key, limit)}
}

// linkLocked puts e behind front, or first where front is nil.
func (s *shard) linkLocked(key field.Key, front, e *entry) {
	if front == nil {
		e.next = s.mu.chains[key]
		s.mu.chains[key] = e
	} else {
		e.next = front.next
		front.next = e
	}
	e.stored = true
}

// cutLocked takes out e, which stands behind before, or first where before is
// nil.
func (s *shard) cutLocked(key field.Key, before, e *entry) {
	switch {
	case before != nil:
		before.next = e.next
	case e.next != nil:
		s.mu.chains[key] = e.next
	default:
		delete(s.mu.chains, key)
	}
	e.next, e.stored = nil, false
}

// cutPastLocked takes out the entry behind the first limit ones, if any: a
// chain grows by one at a time.
func (s *shard) cutPastLocked(key field.Key, limit int) *entry {
	last := s.mu.chains[key]
	for range limit - 1 {
		if last == nil {
			return nil
		}
		last = last.next
	}
	if last == nil || last.next == nil {
		return nil
	}
	past := last.next
	s.cutLocked(key, last, past)
	return past
}
