package journal

import (
	"cmp"
	"slices"
	"sort"
)

// Span is the sequence numbers from First to Last, both included.
type Span struct{ First, Last uint64 }

// Spans is a set of sequence numbers: ascending spans, none empty, none
// touching the next. Methods return new sets and change none.
type Spans []Span

// Has tells whether seq is in the set.
func (s Spans) Has(seq uint64) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].Last >= seq })
	return i < len(s) && s[i].First <= seq
}

// Count returns how many sequence numbers the set has.
func (s Spans) Count() uint64 {
	var n uint64
	for _, span := range s {
		n += span.Last - span.First + 1
	}
	return n
}

// Canonical tells whether s is in the form that Spans promises.
func (s Spans) Canonical() bool {
	for i, span := range s {
		if span.First == 0 || span.First > span.Last || i > 0 && s[i-1].Last >= span.First-1 {
			return false
		}
	}
	return true
}

// Union returns what is in either set.
func (s Spans) Union(o Spans) Spans {
	switch {
	case len(o) == 0:
		return s
	case len(s) == 0:
		return o
	}
	all := make(Spans, 0, len(s)+len(o))
	all = append(append(all, s...), o...)
	slices.SortFunc(all, func(a, b Span) int { return cmp.Compare(a.First, b.First) })
	out := all[:1]
	for _, span := range all[1:] {
		last := &out[len(out)-1]
		if span.First <= last.Last || span.First == last.Last+1 {
			last.Last = max(last.Last, span.Last)
		} else {
			out = append(out, span)
		}
	}
	return out
}

// Minus returns what is in s and not in o.
func (s Spans) Minus(o Spans) Spans {
	var out Spans
	for _, span := range s {
		first, whole := span.First, false
		for len(o) > 0 && o[0].Last < first {
			o = o[1:]
		}
		for _, hole := range o {
			if hole.First > span.Last {
				break
			}
			if hole.First > first {
				out = append(out, Span{first, hole.First - 1})
			}
			if hole.Last >= span.Last {
				whole = true // nothing of the span is left
				break
			}
			first = hole.Last + 1
		}
		if !whole {
			out = append(out, Span{first, span.Last})
		}
	}
	return out
}

// Above returns what is greater than seq.
func (s Spans) Above(seq uint64) Spans {
	i := sort.Search(len(s), func(i int) bool { return s[i].Last > seq })
	s = s[i:]
	if len(s) == 0 || s[0].First > seq {
		return s
	}
	s = slices.Clone(s)
	s[0].First = seq + 1
	return s
}

// UpTo returns what is not greater than seq.
func (s Spans) UpTo(seq uint64) Spans {
	i := sort.Search(len(s), func(i int) bool { return s[i].First > seq })
	s = s[:i:i]
	if len(s) == 0 || s[len(s)-1].Last <= seq {
		return s
	}
	s = slices.Clone(s)
	s[len(s)-1].Last = seq
	return s
}

// Range is a set of entries of one incarnation.
type Range struct {
	Incarnation Incarnation
	Spans       Spans
}

// CountOf returns how many entries some ranges name.
func CountOf(ranges []Range) uint64 {
	var n uint64
	for _, r := range ranges {
		n += r.Spans.Count()
	}
	return n
}
