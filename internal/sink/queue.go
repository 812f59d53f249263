package sink

import (
	"sync"
	"sync/atomic"
	"time"
)

// pageBytes is what lines are gathered in: enough for a few thousand, which one
// system call writes, and for the longest that is taken.
const pageBytes = 1 << 20

// queue holds the lines that wait, in the order in which they came. Whoever
// writes one changes two words that others change too, and waits for nobody; a
// lock is taken once for each page of some thousand lines, to exchange pointers.
//
// There is one order for all, rather than a queue for each core: the lines of a
// connection stay in the order of its requests, all of the memory is there for
// whoever needs it, and one writer behind it would take no more lines than this
// lets through.
//
// The newest line goes when there is no room, not the oldest: what is already
// there is consecutive, and shows how the trouble began.
type queue struct {
	frames              framer
	pages, bytes, lines int // how many pages may wait, and what each holds

	wake    chan struct{} // holds one: look again
	hurry   chan struct{} // holds one: half full, do not wait for more
	closing chan struct{} // closed by close

	open atomic.Pointer[page] // changed under mu; sealed for good by close

	mu struct {
		sync.Mutex
		full   []*page // sealed, with lines, oldest first; the open one is not among them
		free   []*page // empty
		poked  bool
		closed bool
	}
}

// newQueue returns a queue for at most so many bytes and lines. What is left at
// the end of a page, which is less than a line, stays unused.
func newQueue(frames framer, maxBytes, maxLines int) *queue {
	pages := max(1, min(maxBytes/pageBytes, maxLines))
	q := &queue{
		frames: frames, pages: pages, bytes: maxBytes / pages, lines: min(maxLines, maxBytes) / pages,
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), closing: make(chan struct{}),
	}
	q.openLocked()
	return q
}

// put tells whether there was room for a line.
func (q *queue) put(line []byte) bool {
	size := q.frames.size(len(line))
	if len(line) > MaxLine || size > q.bytes {
		return false
	}
	for {
		p := q.open.Load()
		n, end, how := p.reserve(size)
		switch how {
		case reserved:
			p.fill(q.frames, line, n, end)
			if n == 0 {
				signal(q.wake)
			}
			if q.pages == 1 && (end > q.bytes/2 || n >= q.lines/2) {
				signal(q.hurry)
			}
			return true
		case noRoomLeft:
			return false
		}
		if !q.turn(size) {
			return false
		}
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// turn opens another page where the open one has no room and is not the last,
// and tells whether it is worth trying again. Which page had none a moment ago
// does not matter: it may have been emptied and opened meanwhile.
func (q *queue) turn(size int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.closed {
		return false
	}
	if p := q.open.Load(); !p.hasRoom(size) && !p.isLast() {
		q.sealLocked()
		q.openLocked()
	}
	return true
}

// sealLocked puts the open page with those that are full, if it has lines.
func (q *queue) sealLocked() {
	p := q.open.Load()
	if p.seal() == 0 {
		q.mu.free = append(q.mu.free, p)
		return
	}
	q.mu.full = append(q.mu.full, p)
	if 2*len(q.mu.full) >= q.pages {
		signal(q.hurry)
	}
}

// openLocked opens a page.
func (q *queue) openLocked() {
	var p *page
	if n := len(q.mu.free); n > 0 {
		p = q.mu.free[n-1]
		q.mu.free = q.mu.free[:n-1]
	} else {
		p = newPage(q.bytes, q.lines)
	}
	p.open(len(q.mu.full)+1 >= q.pages)
	q.open.Store(p)
}

// poke makes the next take say so.
func (q *queue) poke() {
	q.mu.Lock()
	q.mu.poked = true
	q.mu.Unlock()
	signal(q.wake)
}

// close lets nothing more in.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.mu.closed {
		q.mu.closed = true
		q.sealLocked()
		close(q.closing)
	}
}

// wait returns true once there is something to take and linger has given more
// of it a chance to gather, or false once the queue is closed and empty.
func (q *queue) wait(linger time.Duration) bool {
	for {
		q.mu.Lock()
		waiting, poked, closed := q.waitingLocked(), q.mu.poked, q.mu.closed
		q.mu.Unlock()
		switch {
		case closed:
			return waiting
		case poked:
			return true
		case waiting:
			q.gather(linger)
			return true
		}
		select {
		case <-q.wake:
		case <-q.closing:
		}
	}
}

// waitingLocked tells whether there are lines to take.
func (q *queue) waitingLocked() bool {
	return len(q.mu.full) > 0 || !q.mu.closed && !q.open.Load().isEmpty()
}

func (q *queue) gather(linger time.Duration) {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-q.hurry:
	case <-q.closing:
	}
}

// take moves the pages that wait into list, oldest first, and tells whether the
// queue was poked. Each is given back by release.
func (q *queue) take(list []*page) (taken []*page, poked bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.mu.closed {
		q.sealLocked()
	}
	taken = append(list[:0], q.mu.full...)
	clear(q.mu.full)
	q.mu.full = q.mu.full[:0]
	if !q.mu.closed {
		q.openLocked()
	}
	poked, q.mu.poked = q.mu.poked, false
	select { // what it said is about what has been taken
	case <-q.hurry:
	default:
	}
	return taken, poked
}

// release gives a page back whose lines have left. As many pages as may wait,
// and as many again on their way out, are all there ever are.
func (q *queue) release(p *page) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.free = append(q.mu.free, p)
}
