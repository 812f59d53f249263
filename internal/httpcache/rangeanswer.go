package httpcache

import "github.com/rescind-edge/rescind/internal/field"

// RangeKind is how a range request is answered.
type RangeKind uint8

const (
	Whole         RangeKind = iota // 200: the Range is ignored
	Partial                        // 206
	Unsatisfiable                  // 416
)

// String returns the kind as a token.
func (k RangeKind) String() string {
	switch k {
	case Whole:
		return "whole"
	case Partial:
		return "partial"
	case Unsatisfiable:
		return "unsatisfiable"
	}
	return "unknown"
}

// RangeAnswer is what of a body to send. Ranges are in the order of the request
// and none is empty; there are some only where Kind is Partial.
type RangeAnswer struct {
	Kind   RangeKind
	Ranges []ByteRange
}

// Resolve applies the request to a body of a known size, in bytes. Ranges
// beyond its end are left out. Ranges that overlap, or that together are longer
// than the body, are answered with the whole: nobody needs bytes twice (RFC 9110
// section 17.15). An empty body is always whole, since a Content-Range cannot
// describe a part of it.
//
// The ranges are appended to room, so that with room for one a single range
// does not allocate.
func (s *RangeSet) Resolve(size int64, room []ByteRange) RangeAnswer {
	if s.n == 0 || size <= 0 {
		return RangeAnswer{}
	}
	ranges := room[:0]
	for _, spec := range s.specs[:s.n] {
		if r := spec.resolve(size); r.Length > 0 {
			ranges = append(ranges, r)
		}
	}
	switch {
	case len(ranges) == 0:
		return RangeAnswer{Kind: Unsatisfiable}
	case overlapping(ranges):
		return RangeAnswer{}
	}
	return RangeAnswer{Kind: Partial, Ranges: ranges}
}

// resolve returns an empty range where none of it is in the body.
func (spec rangeSpec) resolve(size int64) ByteRange {
	if spec.first == suffix {
		n := min(spec.last, size)
		return ByteRange{Start: size - n, Length: n}
	}
	if spec.first >= size {
		return ByteRange{}
	}
	return ByteRange{Start: spec.first, Length: min(spec.last, size-1) - spec.first + 1}
}

// overlapping compares each with each: there are few. Ranges that do not
// overlap are together no longer than the body.
func overlapping(ranges []ByteRange) bool {
	for i, a := range ranges {
		for _, b := range ranges[:i] {
			if a.Start < b.Start+b.Length && b.Start < a.Start+a.Length {
				return true
			}
		}
	}
	return false
}

// IfRange tells whether a request's Range counts for that stored response
// (RFC 9110 section 13.1.5): there is no If-Range, or it has the response's
// strong validator. A weak one would let parts of different bytes be joined.
func IfRange(req, stored field.Fields) bool {
	value, ok := req.Get("If-Range")
	if !ok {
		return true
	}
	if req.Count("If-Range") > 1 {
		return false
	}
	if date, ok := parseDate(value, madeAt(stored)); ok {
		return strongDate(date, stored)
	}
	tag, _, ok := parseTag(value)
	if !ok {
		return false
	}
	old, ok := storedTag(stored)
	return ok && tag.strongEqual(old)
}

// strongDate tells whether a date equals Last-Modified and that is strong: the
// response was made at least a second later, so that no second change can hide
// in the same second (RFC 9110 section 8.8.2.2).
func strongDate(date int64, stored field.Fields) bool {
	changed, ok := storedDate(stored, "Last-Modified")
	made, dated := storedDate(stored, "Date")
	return ok && dated && changed == date && made > changed
}

// Range answers a GET request's Range, with its If-Range, from a stored response
// of status 200 whose body has that size in bytes. It allocates only where the
// answer is Partial; Resolve can avoid that too.
func Range(req, stored field.Fields, size int64) RangeAnswer {
	if !req.Has("Range") || !IfRange(req, stored) {
		return RangeAnswer{}
	}
	s := ParseRange(req)
	return s.Resolve(size, nil)
}
