package purge

import (
	"slices"

	"github.com/rescind-edge/rescind/internal/field"
)

// entry is one purge's effect under one tag, or what several merged into.
type entry struct {
	pos    field.Position // objects with a lesser stamp are hit
	first  field.Position // of the earliest purge that is part of it; pos unless merged
	id     ID             // zero once merged
	effect Effect
	until  int64 // may be undone before this instant, Unix nanoseconds; 0: never again
}

// final tells whether the entry can no longer be undone.
func (e *entry) final(now int64) bool { return now >= e.until }

// mark is what the purges of one tag amount to: entries in order of position.
// It is immutable: readers hold it without a lock, so a change makes a new one.
type mark struct {
	entries []entry
}

// single is a mark of one entry, as almost all are, in one piece.
type single struct {
	mark
	only [1]entry
}

// maxEntries bounds a mark, and with it the cost of judging one tag. Undoing a
// purge must leave the others standing, so a mark keeps them apart; more than
// this many of one tag within an undo window come from a script that repeats
// itself, and its older purges lose their undo.
const maxEntries = 8

// with returns the mark with an entry added in its place, and the IDs of those
// that had to merge and can no longer be undone.
func (m *mark) with(e entry, now int64) (next *mark, merged []ID) {
	if m == nil {
		s := &single{only: [1]entry{e}}
		s.entries = s.only[:]
		return &s.mark, nil
	}
	kept := make([]entry, 0, min(len(m.entries), maxEntries)+1)
	kept = append(kept, m.undominated(now)...)
	at := len(kept)
	for at > 0 && kept[at-1].pos > e.pos {
		at--
	}
	kept = slices.Insert(kept, at, e)
	for len(kept) > maxEntries {
		a, b := &kept[0], &kept[1]
		merged = appendIDs(merged, a.id, b.id)
		*b = entry{pos: b.pos, first: min(a.first, b.first), effect: strictest(a.effect, b.effect)}
		kept = kept[1:]
	}
	return &mark{entries: kept}, merged
}

func appendIDs(dst []ID, ids ...ID) []ID {
	for _, id := range ids {
		if !id.IsZero() {
			dst = append(dst, id)
		}
	}
	return dst
}

// undominated returns the entries from the last hard one on that stands for
// good: it covers every object that an earlier effect covers.
func (m *mark) undominated(now int64) []entry {
	for i := len(m.entries) - 1; i > 0; i-- {
		if e := m.entries[i]; e.effect.Mode == Hard && e.final(now) {
			rest := append([]entry(nil), m.entries[i:]...)
			rest[0].first = m.entries[0].first
			return rest
		}
	}
	return m.entries
}

// without returns the mark without the entries that drop selects; nil where
// none is left, and the mark itself where none is selected.
func (m *mark) without(drop func(*entry) bool) *mark {
	kept := make([]entry, 0, len(m.entries))
	for i := range m.entries {
		if !drop(&m.entries[i]) {
			kept = append(kept, m.entries[i])
		}
	}
	switch len(kept) {
	case len(m.entries):
		return m
	case 0:
		return nil
	}
	return &mark{entries: kept}
}

// bytes is what a mark takes of the limit on marks.
func (m *mark) bytes() int64 {
	if m == nil {
		return 0
	}
	return markBytes + entryBytes*int64(len(m.entries))
}

// Estimates of what marks take on the heap, slot and size class included.
const (
	markBytes   = 56
	entryBytes  = 88
	recordBytes = 120
	tagBytes    = 8
)
