package memory

import "github.com/rescind-edge/rescind/internal/store/slab"

// outcome says what became of an insertion.
type outcome uint8

const (
	inserted   outcome = iota
	superseded         // its variant is stored with a greater stamp
	tooOld             // its key has the most variants, all of greater stamps
)

// insertion is what insert did. replaced and oldest are the records that had to
// leave, nil where none had to.
type insertion struct {
	outcome          outcome
	replaced, oldest *record
	full             bool // the shard wants another segment
}

// insert adds r as the newest of its stamp, and keeps limit variants of its key.
func (t *table) insert(r *record, limit int) insertion {
	s := t.shard(r.Hash())
	s.mu.Lock()
	defer s.mu.Unlock()
	key, stamp, variant := r.Key(), r.head().Stamp(), r.head().Variant()
	begin := s.mu.of(r.Hash())
	place := begin // behind the last that stays in front of r
	ahead := 0     // how many those are
	var same *slab.Ref
	for link := begin; *link != 0; {
		at := t.at(*link)
		if at.Is(&key) {
			if at.head().Variant() == variant {
				same = link
			}
			if at.head().Stamp() > stamp {
				place = &at.next
				ahead++
			}
		}
		link = &at.next
	}
	var done insertion
	switch {
	case same != nil && t.at(*same).head().Stamp() > stamp:
		return insertion{outcome: superseded}
	case ahead >= limit:
		return insertion{outcome: tooOld}
	case same != nil:
		done.replaced = t.at(*same)
		s.cutLocked(same, done.replaced)
	}
	s.linkLocked(place, r)
	done.oldest = t.cutPastLocked(s, begin, r, limit)
	done.full = t.growLocked(s)
	return done
}

// cutPastLocked takes out the record of r's key behind the first limit ones, if
// any: a key's variants grow by one at a time.
func (t *table) cutPastLocked(s *shard, begin *slab.Ref, r *record, limit int) *record {
	key, n := r.Key(), 0
	for link := begin; *link != 0; link = &t.at(*link).next {
		at := t.at(*link)
		if !at.Is(&key) {
			continue
		}
		if n++; n > limit {
			s.cutLocked(link, at)
			return at
		}
	}
	return nil
}
