package journal

import "slices"

// Limits of what is supplied at once.
const (
	// MaxBatch is the most entries in a batch: a second's work at the highest
	// rate that is planned for, and less than a megabyte of ordinary purges.
	MaxBatch = 4096
	// MaxBatchBytes is the most bytes of bodies in a batch, unless one entry is
	// larger: what a slow link carries in a second.
	MaxBatchBytes = 1 << 20
)

// Request asks a Set for entries.
type Request struct {
	Ranges  []Range
	Entries int // at most; 0: MaxBatch
	Bytes   int // of bodies, at most, but always one entry; 0: MaxBatchBytes
	// MayCover tells whether an entry is in force and can no longer be taken
	// back, so that it may stand for earlier ones with its Kind and Same; nil:
	// none may. It must not call the Set.
	MayCover func(*Entry) bool
}

// Supply is the answer to a Request.
type Supply struct {
	Entries []Entry // in an order in which they can be accepted; they share memory with the Set
	More    bool    // the request's limits cut the answer short: ask again
}

// Supply returns the entries asked for, as far as they are kept. Of those that
// repeat each other it gives the last with its body and the others as covered
// by it.
func (s *Set) Supply(r Request) Supply {
	limit, bytes := within(r.Entries, MaxBatch), within(r.Bytes, MaxBatchBytes)
	var out Supply
	for _, part := range r.Ranges {
		sl := s.rows[part.Incarnation]
		if sl == nil {
			continue
		}
		n := len(out.Entries)
		out.Entries, out.More = sl.collect(out.Entries, part.Spans, limit, &bytes)
		cover(out.Entries[n:], r.MayCover)
		out.Entries = sl.arrange(out.Entries, n)
		if limit -= len(out.Entries) - n; out.More || limit <= 0 {
			out.More = true
			break
		}
	}
	return out
}

func within(n, most int) int {
	if n <= 0 {
		return most
	}
	return min(n, most)
}

// collect appends the kept entries of some spans, up to a number of entries and
// bytes.
func (sl *slot) collect(to []Entry, spans Spans, limit int, bytes *int) (all []Entry, cut bool) {
	n := len(to)
	for _, span := range spans {
		i, _ := slices.BinarySearchFunc(sl.kept, span.First, bySeq)
		for ; i < len(sl.kept) && sl.kept[i].Seq <= span.Last; i++ {
			e := &sl.kept[i]
			size := len(e.Body) + len(e.Extra)
			if len(to)-n >= limit || *bytes < size && len(to) > 0 {
				return to, true
			}
			*bytes -= size
			to = append(to, *e)
		}
	}
	return to, false
}

// cover takes the bodies of entries that a later one repeats.
func cover(entries []Entry, may func(*Entry) bool) {
	if may == nil {
		return
	}
	type content struct {
		kind Kind
		same uint64
	}
	last := map[content]uint64{}
	for i := len(entries) - 1; i >= 0; i-- {
		e := &entries[i]
		if e.Same == 0 || e.By != 0 {
			continue
		}
		key := content{e.Kind, e.Same}
		if by, ok := last[key]; ok {
			e.By, e.Body, e.Extra = by, nil, nil
		} else if may(e) {
			last[key] = e.Seq
		}
	}
}

// arrange puts covered entries behind those that cover them, and adds such as
// are missing.
func (sl *slot) arrange(entries []Entry, n int) []Entry {
	if !slices.ContainsFunc(entries[n:], func(e Entry) bool { return e.By != 0 }) {
		return entries
	}
	part := slices.Clone(entries[n:])
	entries = entries[:n]
	there := map[uint64]bool{}
	add := func(e Entry) {
		if !there[e.Seq] {
			there[e.Seq] = true
			entries = append(entries, e)
		}
	}
	for _, e := range part {
		if e.By == 0 {
			add(e)
		}
	}
	// From the last to the first: what covers an entry is later than it.
	for _, e := range slices.Backward(part) {
		if e.By == 0 {
			continue
		}
		for by := sl.find(e.By); by != nil && !there[e.By]; by = sl.find(e.By) {
			if by.By == 0 {
				add(*by)
			} else {
				e.By = by.By // covered itself: by the one that has a body
			}
		}
		add(e)
	}
	return entries
}
