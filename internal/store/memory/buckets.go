package memory

import (
	"math/bits"
	"unsafe"

	"github.com/rescind-edge/rescind/internal/store/slab"
)

// buckets are the beginnings of chains of records: linear hashing (Litwin, VLDB
// 1980). They grow by one at a time, which takes in what belongs there of one
// other, so nothing ever waits for a table to be rebuilt. They do not shrink:
// what a million objects leave behind is 0.2 % of what they took.
type buckets struct {
	segments []*segment
	n        uint32 // buckets in use
	entries  uint32 // records in their chains
}

// segmentBuckets is how many beginnings a segment holds, which is a slot of
// segmentBytes.
const (
	segmentBytes   = 1 << 10
	segmentBuckets = (segmentBytes - slab.HeaderBytes) / 4
)

type segment struct {
	slab.Header
	first [segmentBuckets]slab.Ref
}

// newSegment returns an empty segment in a pinned slot.
func newSegment(p *slab.Pool, r slab.Ref) *segment {
	s := (*segment)(p.Pointer(r))
	clear(s.first[:])
	return s
}

var _ [segmentBytes - unsafe.Sizeof(segment{})]struct{}

// add makes room for more buckets.
func (b *buckets) add(s *segment) {
	b.segments = append(b.segments, s)
	if b.n == 0 {
		b.n = 1
	}
}

// full tells whether there is no room for one bucket more.
func (b *buckets) full() bool { return int(b.n) == len(b.segments)*segmentBuckets }

// crowded tells whether there should be a bucket more, for so many to a record.
func (b *buckets) crowded(perRecord uint32) bool { return b.entries*perRecord > b.n }

// at returns the beginning of bucket i.
func (b *buckets) at(i uint32) *slab.Ref {
	return &b.segments[i/segmentBuckets].first[i%segmentBuckets]
}

// index returns the bucket of a hash.
func (b *buckets) index(hash uint64) uint32 {
	mask := uint32(1)<<bits.Len32(b.n-1) - 1
	i := uint32(hash>>32) & mask
	if i >= b.n {
		i &= mask >> 1
	}
	return i
}

// of returns the beginning of a hash's chain.
func (b *buckets) of(hash uint64) *slab.Ref { return b.at(b.index(hash)) }

// grow adds a bucket and returns the one that is to be split over both. There
// must be room.
func (b *buckets) grow() (old, added uint32) {
	added = b.n
	b.n++
	return added &^ (1 << (bits.Len32(added) - 1)), added
}

// step returns by how much the buckets are apart in which the records are now
// that were in bucket i when there were n buckets: i is the first of them.
func step(i, n uint32) uint32 {
	// Bucket i held the hashes that end in i, as far as a mask goes.
	mask := uint32(1)<<bits.Len32(n-1) - 1
	if half := mask >> 1; i <= half && i+half+1 >= n {
		mask = half // it was not split at this level
	}
	return mask + 1
}
