package proxy

import "sync/atomic"

// tally is a counter that many goroutines add to at once. It is kept in parts,
// each on a cache line of its own, so that processors do not take it from each
// other for every request.
type tally struct {
	parts [tallyParts]struct {
		n atomic.Int64
		_ [56]byte
	}
}

// tallyParts is how many processors can count without meeting, more or less: an
// exchange counts in one part all its life, and its pool keeps it on one
// processor most of the time.
const tallyParts = 16

// Add adds n in a part, which may be any number.
func (t *tally) Add(part uint32, n int64) { t.parts[part%tallyParts].n.Add(n) }

// Load returns the sum. While others add it is one that was there between the
// call and its return, give or take what they added meanwhile.
func (t *tally) Load() int64 {
	sum := int64(0)
	for i := range t.parts {
		sum += t.parts[i].n.Load()
	}
	return sum
}
