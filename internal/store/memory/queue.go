package memory

import (
	"sync"

	"github.com/rescind-edge/rescind/internal/store/slab"
)

// queue is the order of eviction over all shards: SIEVE (Zhang et al., NSDI
// 2024). Records stay in the order in which they were put in; a hand moves from
// the oldest to the newest, spares what was used since it last passed, and
// evicts the first that was not. A hit only sets a bit, so it never comes here.
//
// There is one queue, not one a shard: with few large objects a shard would
// hold one or two, and what is evicted would depend on how keys fall. Its lock
// is taken for each object put in or taken out, which an origin's response has
// preceded, and held for tens of nanoseconds.
type queue struct {
	slots
	mu struct {
		sync.Mutex
		newest, oldest slab.Ref
		length         int
		hand           slab.Ref // next to pass; 0: the oldest
		reaper         slab.Ref // next to be judged; 0: the oldest
	}
}

// mostPassed bounds the used entries that the hand spares in one turn. The one
// after them is evicted though it was used too: where everything is in use
// there is no good choice, and no reason to look at millions.
const mostPassed = 64

// link adds r as the newest.
func (q *queue) link(r *record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.newer, r.older = 0, q.mu.newest
	if older := q.at(r.older); older != nil {
		older.newer = r.self
	} else {
		q.mu.oldest = r.self
	}
	q.mu.newest = r.self
	q.mu.length++
}

// unlink takes out r, which link added.
func (q *queue) unlink(r *record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.hand == r.self {
		q.mu.hand = r.newer
	}
	if q.mu.reaper == r.self {
		q.mu.reaper = r.newer
	}
	if newer := q.at(r.newer); newer != nil {
		newer.older = r.older
	} else {
		q.mu.newest = r.older
	}
	if older := q.at(r.older); older != nil {
		older.newer = r.newer
	} else {
		q.mu.oldest = r.newer
	}
	r.newer, r.older = 0, 0
	q.mu.length--
}

// victim moves the hand and returns whom it points out, retained, nil where the
// queue is empty. It does not unlink.
func (q *queue) victim() *record {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.fromLocked(q.mu.hand)
	if r == nil {
		return nil
	}
	for range mostPassed {
		if !r.is(flagVisited) {
			break
		}
		r.flags.And(^uint32(flagVisited))
		r = q.fromLocked(r.newer)
	}
	q.mu.hand = r.newer
	r.Retain()
	return r
}

// window appends to dst the next n records to be judged, retained, each at most
// once.
func (q *queue) window(dst []*record, n int) []*record {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range min(n, q.mu.length) {
		r := q.fromLocked(q.mu.reaper)
		r.Retain()
		dst = append(dst, r)
		q.mu.reaper = r.newer
	}
	return dst
}

// fromLocked returns a record, or the oldest where the newest was passed.
func (q *queue) fromLocked(r slab.Ref) *record {
	if r == 0 {
		r = q.mu.oldest
	}
	return q.at(r)
}
