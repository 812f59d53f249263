package sink

import (
	"slices"
	"sync"
	"time"
)

// batch is a run of framed lines.
type batch struct {
	data []byte
	ends []int // of each frame in data; increasing, the last is len(data)
}

func (b *batch) lines() int { return len(b.ends) }

// start returns where frame i begins; i may be lines().
func (b *batch) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.ends[i-1]
}

// within returns how many whole frames lie in the first n bytes.
func (b *batch) within(n int) int {
	i, found := slices.BinarySearch(b.ends, n)
	if found {
		i++
	}
	return i
}

// upTo returns the end of the longest run of frames from frame i on that takes
// at most n bytes; one frame, if that alone takes more.
func (b *batch) upTo(i, n int) (end int) {
	return max(i+1, b.within(b.start(i)+n))
}

func (b *batch) reset() {
	b.data, b.ends = b.data[:0], b.ends[:0]
}

// queue holds the lines that wait. Only its lock stands between those who write
// lines, and it is held for a copy of the line, or for an exchange of slices:
// never while a sink works.
//
// The newest line goes when there is no room, not the oldest: what is already
// there is consecutive, and shows how the trouble began.
type queue struct {
	frames             framer
	maxBytes, maxLines int

	wake    chan struct{} // holds one: look again
	hurry   chan struct{} // holds one: half full, do not wait for more
	closing chan struct{} // closed by close

	mu struct {
		sync.Mutex
		waiting batch
		poked   bool
		closed  bool
	}
}

func newQueue(frames framer, maxBytes, maxLines int) *queue {
	return &queue{
		frames: frames, maxBytes: maxBytes, maxLines: maxLines,
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), closing: make(chan struct{}),
	}
}

// put tells whether there was room for a line.
func (q *queue) put(line []byte) bool {
	if len(line) > MaxLine {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	w := &q.mu.waiting
	if q.mu.closed || len(w.ends) >= q.maxLines || len(w.data)+q.frames.size(len(line)) > q.maxBytes {
		return false
	}
	w.data = q.frames.append(w.data, line)
	w.ends = append(w.ends, len(w.data))
	if len(w.ends) == 1 {
		signal(q.wake)
	}
	if len(w.data) > q.maxBytes/2 || len(w.ends) > q.maxLines/2 {
		signal(q.hurry)
	}
	return true
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
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
		close(q.closing)
	}
}

// wait returns true once there is something to take and linger has given more
// of it a chance to gather, or false once the queue is closed and empty.
func (q *queue) wait(linger time.Duration) bool {
	for {
		q.mu.Lock()
		lines, poked, closed := q.mu.waiting.lines(), q.mu.poked, q.mu.closed
		q.mu.Unlock()
		switch {
		case closed:
			return lines > 0
		case poked:
			return true
		case lines > 0:
			q.gather(linger)
			return true
		}
		select {
		case <-q.wake:
		case <-q.closing:
		}
	}
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

// take moves what waits into b, whose memory the queue uses from then on, and
// tells whether the queue was poked.
func (q *queue) take(b *batch) (poked bool) {
	b.reset()
	q.mu.Lock()
	defer q.mu.Unlock()
	*b, q.mu.waiting = q.mu.waiting, *b
	poked, q.mu.poked = q.mu.poked, false
	select { // what it said is about what has been taken
	case <-q.hurry:
	default:
	}
	return poked
}
