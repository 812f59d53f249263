package memory

import "sync"

// queue is the order of eviction over all shards: SIEVE (Zhang et al., NSDI
// 2024). Entries stay in the order in which they were put in; a hand moves from
// the oldest to the newest, spares what was used since it last passed, and
// evicts the first that was not. A hit only sets a bit, so it never comes here.
//
// There is one queue, not one a shard: with few large objects a shard would
// hold one or two, and what is evicted would depend on how keys fall. Its lock
// is taken for each object put in or taken out, which an origin's response has
// preceded, and held for tens of nanoseconds.
type queue struct {
	mu struct {
		sync.Mutex
		newest, oldest *entry
		length         int
		hand           *entry // next to pass; nil: the oldest
		reaper         *entry // next to be judged; nil: the oldest
	}
}

// mostPassed bounds the used entries that the hand spares in one turn. The one
// after them is evicted though it was used too: where everything is in use
// there is no good choice, and no reason to look at millions.
const mostPassed = 64

// link adds e as the newest.
func (q *queue) link(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.older = q.mu.newest
	if e.older != nil {
		e.older.newer = e
	} else {
		q.mu.oldest = e
	}
	q.mu.newest = e
	q.mu.length++
}

// unlink takes out e, which link added.
func (q *queue) unlink(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.hand == e {
		q.mu.hand = e.newer
	}
	if q.mu.reaper == e {
		q.mu.reaper = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		q.mu.newest = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		q.mu.oldest = e.newer
	}
	e.newer, e.older = nil, nil
	q.mu.length--
}

// victim moves the hand and returns whom it points out, nil where the queue is
// empty. It does not unlink.
func (q *queue) victim() *entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.fromLocked(q.mu.hand)
	if e == nil {
		return nil
	}
	for range mostPassed {
		if !e.visited.Load() {
			break
		}
		e.visited.Store(false)
		e = q.fromLocked(e.newer)
	}
	q.mu.hand = e.newer
	return e
}

// window appends to dst the next n entries to be judged, each at most once.
func (q *queue) window(dst []*entry, n int) []*entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range min(n, q.mu.length) {
		e := q.fromLocked(q.mu.reaper)
		dst = append(dst, e)
		q.mu.reaper = e.newer
	}
	return dst
}

// fromLocked returns e, or the oldest entry where the newest was passed.
func (q *queue) fromLocked(e *entry) *entry {
	if e == nil {
		return q.mu.oldest
	}
	return e
}
