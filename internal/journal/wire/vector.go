package wire

import (
	"encoding/binary"

	"github.com/rescind-edge/rescind/internal/journal"
)

// AppendVector appends a message of a vector's rows, in order of incarnation.
func AppendVector(to []byte, v journal.Vector) []byte {
	to = append(to, Version)
	to = binary.AppendUvarint(to, uint64(len(v)))
	for _, inc := range v.Incarnations() {
		row := v[inc]
		to = append(to, inc[:]...)
		to = binary.AppendUvarint(to, row.Floor)
		to = binary.AppendUvarint(to, row.Head)
		to = binary.AppendVarint(to, row.Newest)
		to = appendSpans(to, row.Above)
	}
	return to
}

// minRow is the least bytes of a row: incarnation, floor, head, time, number of
// spans.
const minRow = 16 + 4

// ParseVector reads a message that AppendVector wrote, of at most
// journal.MaxRows rows with journal.MaxAbove spans each. The error wraps
// ErrMalformed or ErrVersion.
func ParseVector(data []byte) (journal.Vector, error) {
	r := reader{data: data}
	r.version()
	n := r.count(journal.MaxRows, minRow)
	v := make(journal.Vector, n)
	var last journal.Incarnation
	for range n {
		inc := r.incarnation(last)
		row := journal.Row{Floor: r.uvarint(), Head: r.uvarint(), Newest: r.varint()}
		row.Above = r.spans(journal.MaxAbove)
		if len(row.Above) > 0 && row.Above[0].First-1 <= row.Head {
			r.fail(malformed("a span that touches its row's head"))
		}
		if r.err != nil {
			break
		}
		v[inc], last = row, inc
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return v, nil
}

// incarnation takes an incarnation that is greater than the last.
func (r *reader) incarnation(last journal.Incarnation) journal.Incarnation {
	var inc journal.Incarnation
	copy(inc[:], r.bytes(uint64(len(inc))))
	if inc.Compare(last) <= 0 {
		r.fail(malformed("incarnations out of order"))
	}
	return inc
}

// appendSpans appends each span as the distance from the end of the one before,
// and its length.
func appendSpans(to []byte, spans journal.Spans) []byte {
	to = binary.AppendUvarint(to, uint64(len(spans)))
	var last uint64
	for _, span := range spans {
		to = binary.AppendUvarint(to, span.First-last)
		to = binary.AppendUvarint(to, span.Last-span.First)
		last = span.Last
	}
	return to
}

func (r *reader) spans(most int) journal.Spans {
	n := r.count(most, 2)
	if n == 0 {
		return nil
	}
	spans := make(journal.Spans, n)
	var last uint64
	for i := range spans {
		spans[i].First = last + r.uvarint()
		spans[i].Last = spans[i].First + r.uvarint()
		if spans[i].First < last || spans[i].Last < spans[i].First {
			r.fail(malformed("a span beyond all numbers"))
		}
		last = spans[i].Last
	}
	if r.err == nil && !spans.Canonical() {
		r.fail(malformed("spans out of order"))
	}
	return spans
}

// Limits of a message of ranges: as many as a vector's rows can lack.
const (
	MaxRanges = journal.MaxRows
	MaxSpans  = 2 * (journal.MaxAbove + 1) // of one range
)

// AppendRanges appends a message of ranges, which are in order of incarnation.
func AppendRanges(to []byte, ranges []journal.Range) []byte {
	to = append(to, Version)
	to = binary.AppendUvarint(to, uint64(len(ranges)))
	for _, part := range ranges {
		to = append(to, part.Incarnation[:]...)
		to = appendSpans(to, part.Spans)
	}
	return to
}

// ParseRanges reads a message that AppendRanges wrote. The error wraps
// ErrMalformed or ErrVersion.
func ParseRanges(data []byte) ([]journal.Range, error) {
	r := reader{data: data}
	r.version()
	ranges := make([]journal.Range, 0, r.count(MaxRanges, 17))
	var last journal.Incarnation
	for range cap(ranges) {
		part := journal.Range{Incarnation: r.incarnation(last)}
		if part.Spans = r.spans(MaxSpans); len(part.Spans) == 0 {
			r.fail(malformed("an empty range"))
		}
		if r.err != nil {
			break
		}
		ranges, last = append(ranges, part), part.Incarnation
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return ranges, nil
}

// AppendDigests appends a message of a vector's digests: that of the whole, a
// bit for each part that has something in it, and those parts' digests.
func AppendDigests(to []byte, d *journal.Digests) []byte {
	to = append(append(to, Version), d.Whole[:]...)
	var filled uint64
	for i := range d.Parts {
		if d.Parts[i] != (journal.Digest{}) {
			filled |= 1 << i
		}
	}
	to = binary.BigEndian.AppendUint64(to, filled)
	for i := range d.Parts {
		if filled&(1<<i) != 0 {
			to = append(to, d.Parts[i][:]...)
		}
	}
	return to
}

// ParseDigests reads a message that AppendDigests wrote. The error wraps
// ErrMalformed or ErrVersion.
func ParseDigests(data []byte) (journal.Digests, error) {
	r := reader{data: data}
	r.version()
	var d journal.Digests
	copy(d.Whole[:], r.bytes(uint64(len(d.Whole))))
	var filled uint64
	if bits := r.bytes(8); bits != nil {
		filled = binary.BigEndian.Uint64(bits)
	}
	for i := range d.Parts {
		if filled&(1<<i) == 0 {
			continue
		}
		copy(d.Parts[i][:], r.bytes(uint64(len(journal.Digest{}))))
		if d.Parts[i] == (journal.Digest{}) {
			r.fail(malformed("an empty field"))
		}
	}
	return d, r.end()
}
