package journal

import (
	"maps"
	"slices"
)

// Limits of a vector.
const (
	// MaxRows is the most incarnations in a vector. A thousand nodes that each
	// restart 16 times within Life, and issue each time, fit; encoded that is
	// half a megabyte.
	MaxRows = 1 << 14
	// MaxAbove is the most spans that a row may have above its head. Each is a
	// run that arrived after a loss; at 5,000 entries a second and a fifth of
	// all packets lost, some 15 are open during a round trip of 150 ms.
	MaxAbove = 64
)

// Row says what a node knows of one incarnation: entries 1 to Head and those
// Above. Entries up to Floor it cannot supply: it has dropped them, or never
// had them. Floor may be greater than Head.
type Row struct {
	Floor, Head uint64
	Above       Spans // each at least Head+2
	Newest      int64 // the latest time of a known entry, milliseconds of Unix time
}

// Knows tells whether the entry has been applied.
func (r Row) Knows(seq uint64) bool { return seq <= r.Head || r.Above.Has(seq) }

// Known returns all entries applied.
func (r Row) Known() Spans {
	if r.Head == 0 {
		return r.Above
	}
	return append(Spans{{1, r.Head}}, r.Above...)
}

// Top returns the greatest sequence number known.
func (r Row) Top() uint64 {
	if n := len(r.Above); n > 0 {
		return r.Above[n-1].Last
	}
	return r.Head
}

// with returns the row that also knows some more.
func (r Row) with(more Spans) Row {
	r.Above = r.Known().Union(more)
	r.Head = 0
	if len(r.Above) > 0 && r.Above[0].First == 1 {
		r.Head, r.Above = r.Above[0].Last, r.Above[1:]
	}
	if len(r.Above) == 0 {
		r.Above = nil
	}
	return r
}

// add makes one entry known, in place. It is with for one entry, without
// garbage in the usual case.
func (r *Row) add(seq uint64) {
	if seq != r.Head+1 {
		*r = r.with(Spans{{seq, seq}})
		return
	}
	r.Head = seq
	if len(r.Above) > 0 && r.Above[0].First == seq+1 {
		r.Head, r.Above = r.Above[0].Last, r.Above[1:]
	}
	if len(r.Above) == 0 {
		r.Above = nil
	}
}

// Merge returns what a node knows that has taken over from another all that
// the other could supply, and has given up what neither can: the union of what
// is known, above the greater floor. It is idempotent, commutative and
// associative.
func (r Row) Merge(o Row) Row {
	m := r.with(o.Known())
	m.Floor, m.Newest = max(r.Floor, o.Floor), max(r.Newest, o.Newest)
	return m
}

// equal tells whether two rows say the same.
func (r Row) equal(o Row) bool {
	return r.Floor == o.Floor && r.Head == o.Head && r.Newest == o.Newest && slices.Equal(r.Above, o.Above)
}

// Vector says what a node knows.
type Vector map[Incarnation]Row

// Knows tells whether the entry has been applied.
func (v Vector) Knows(id ID) bool { return v[id.Incarnation].Knows(id.Seq) }

// Add makes an entry known.
func (v Vector) Add(e *Entry) { v.Note(e.ID, e.Time) }

// Note makes an entry known of which no more is at hand than its ID and its time.
func (v Vector) Note(id ID, time int64) {
	row := v[id.Incarnation]
	if !row.Knows(id.Seq) {
		row.add(id.Seq)
	}
	row.Newest = max(row.Newest, time)
	v[id.Incarnation] = row
}

// Clone returns a vector that shares no row with v. Rows are values and their
// spans are never changed in place.
func (v Vector) Clone() Vector {
	if v == nil {
		return Vector{}
	}
	return maps.Clone(v)
}

// Merge returns the merge of all rows, see Row.Merge.
func (v Vector) Merge(o Vector) Vector {
	m := v.Clone()
	for inc, row := range o {
		m[inc] = m[inc].Merge(row)
	}
	return m
}

// Equal tells whether two vectors say the same.
func (v Vector) Equal(o Vector) bool { return maps.EqualFunc(v, o, Row.equal) }

// Incarnations returns those that have a row, in order.
func (v Vector) Incarnations() []Incarnation {
	return slices.SortedFunc(maps.Keys(v), Incarnation.Compare)
}
