// Package stripe keeps what all cores change in parts, so that they do not take
// a cache line from each other for every request. Whoever counts picks a part,
// and keeps to it for as long as that is likely to be one core's; which part is
// for each package to choose. It is not for what is read as often as it is
// changed: a sum looks at all parts.
package stripe

import "sync/atomic"

// Parts is how many parts there are: as many cores can count without meeting.
// Of more cores, some share.
const Parts = 32

// apart is the least distance between what is in two parts: a cache line, and
// two where processors fetch lines in pairs.
const apart = 128

// Of is a value in parts. The zero Of has zero values and is ready for use. It
// must not be copied.
type Of[T any] struct {
	parts [Parts]struct {
		value T
		_     [apart]byte
	}
}

// At returns a part, which any number names.
func (o *Of[T]) At(part uint32) *T { return &o.parts[part%Parts].value }

// Each calls f for every part.
func (o *Of[T]) Each(f func(*T)) {
	for i := range o.parts {
		f(&o.parts[i].value)
	}
}

// Counter is a counter in parts. Its methods may be called concurrently.
type Counter struct{ n Of[atomic.Int64] }

// Add adds n in a part, which any number names.
func (c *Counter) Add(part uint32, n int64) { c.n.At(part).Add(n) }

// Load returns the sum. While others add it is one that was there between the
// call and its return, give or take what they added meanwhile.
func (c *Counter) Load() (sum int64) {
	c.n.Each(func(n *atomic.Int64) { sum += n.Load() })
	return sum
}
