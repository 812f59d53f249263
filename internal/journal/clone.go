package journal

import "bytes"

// Cloned tells whether a peer's vector shows that somebody else issues as the
// own incarnation: it knows entries that were never issued here. The node was
// copied while it ran, or its memory was set back.
func (s *Set) Cloned(peer Vector) bool {
	return peer[s.own].Top() > s.issued
}

// Disputed tells whether an entry says that the own incarnation is used by
// somebody else too, who has noticed first. The own one is to be retired then.
func (s *Set) Disputed(e *Entry) bool {
	return e.Kind == KindRetire && bytes.Equal(e.Body, s.own[:])
}

// Retire ends the own incarnation, which becomes one like any other, and begins
// a new one, which must be fresh. It returns what is to be issued next: an entry
// that tells whoever else uses the old one to do the same, and anew the kept
// entries that the old one issued. Both may have used one ID for two entries, and
// nodes that know one of them would never ask for the other. What did arrive is
// then applied twice, which withdraws too much and never too little.
func (s *Set) Retire(next Incarnation) []Draft {
	again := []Draft{{Kind: KindRetire, Body: bytes.Clone(s.own[:])}}
	if sl := s.rows[s.own]; sl != nil {
		for i := range sl.kept {
			if e := &sl.kept[i]; e.By == 0 && e.Kind != KindRetire {
				again = append(again, Draft{Kind: e.Kind, Same: e.Same, Body: e.Body, Extra: e.Extra})
			}
		}
	}
	s.own, s.issued = next, 0
	return again
}

// Row returns what is known of one incarnation.
func (s *Set) Row(inc Incarnation) (Row, bool) {
	if sl := s.rows[inc]; sl != nil {
		return sl.Row, true
	}
	return Row{}, false
}

// Restore makes a row known as it was written to disk, without entries; what
// the disk has of them is then accepted below. It is for the time before the
// first entry is issued or accepted.
func (s *Set) Restore(v Vector) {
	for inc, row := range v {
		sl := s.rows[inc]
		if sl == nil {
			sl = s.open(inc)
		}
		sl.Row = sl.Merge(row)
	}
}

// Keep puts an entry back that was read from disk with the time at which it had
// arrived. It is like Accept, but for an entry that Restore has made known,
// which is kept without being new, and it refuses none for its age. It returns
// false for one that is kept already; the memory of any other belongs to the Set.
func (s *Set) Keep(arrived int64, e *Entry) bool {
	sl := s.rows[e.Incarnation]
	if sl == nil {
		sl = s.open(e.Incarnation)
	}
	if sl.find(e.Seq) != nil {
		return false
	}
	s.record(sl, arrived, *e)
	return true
}
