package purge

import "github.com/rescind-edge/rescind/internal/field"

// record is what the engine remembers of a purge for as long as its marks
// stand.
type record struct {
	id         ID
	service    *Service
	pos        field.Position
	tags       Tags
	predicates int // of it that are in force
	until      int64
	lost       int   // entries merged: no longer undoable
	held       int64 // bytes, of tags and predicates
	void       bool  // reverted
}

func (r *record) bytes() int64 { return recordBytes + r.held }

// hold counts bytes that the record takes, or gives back, and returns them.
func (r *record) hold(n int64) int64 {
	r.held += n
	return n
}

// merged tells whether nothing of it can be undone any more.
func (r *record) merged() bool { return r.lost > 0 && r.lost >= len(r.tags)+r.predicates }

// settled tells whether nothing about it can change any more: it cannot be
// undone, or was, as a whole.
func (r *record) settled(now int64) bool { return r.until <= now || r.void && r.lost == 0 }
