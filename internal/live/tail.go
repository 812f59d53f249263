package live

import (
	"context"
	"sync"

	"github.com/rescind-edge/rescind/internal/event"
)

// Bounds of what waits for one reader. A second or two of a busy node: whoever
// is slower than that will not catch up.
const (
	maxLines = 4096
	maxBytes = 2 << 20
)

// Tail is one listener of a Hub. One goroutine calls Next.
type Tail struct {
	hub   *Hub
	takes func(*event.Request) bool // nil: all
	wake  chan struct{}             // holds one token while something changed

	mu struct {
		sync.Mutex
		lines  [][]byte // a ring
		first  int      // index of the oldest
		count  int
		bytes  int    // that the lines hold in memory
		missed uint64 // lines lost before the oldest
		ended  bool
	}
}

func newTail(h *Hub, takes func(*event.Request) bool) *Tail {
	t := &Tail{hub: h, takes: takes, wake: make(chan struct{}, 1)}
	t.mu.lines = make([][]byte, maxLines)
	return t
}

// Next returns the oldest line that waits, and how many were lost since the
// call before. It waits for a line until ctx ends, whose error it then returns;
// once the Tail or its Hub is closed and no line is left, it returns ErrClosed.
// The caller does not change the line: others have it too.
func (t *Tail) Next(ctx context.Context) (line []byte, missed uint64, err error) {
	for {
		line, missed, ended := t.take()
		switch {
		case line != nil:
			return line, missed, nil
		case ended:
			return nil, 0, ErrClosed
		}
		select {
		case <-t.wake:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// Close ends the Tail. It may be called from any goroutine, and twice.
func (t *Tail) Close() {
	t.hub.remove(t)
	t.end()
}

func (t *Tail) take() (line []byte, missed uint64, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.count == 0 {
		return nil, 0, t.mu.ended
	}
	line, missed = t.popLocked(), t.mu.missed
	t.mu.missed = 0
	return line, missed, false
}

// put adds a line. The oldest give way: of what happens now, the newest is what
// somebody wants to see.
func (t *Tail) put(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.ended {
		return
	}
	if len(line) == 0 || cap(line) > maxBytes {
		t.mu.missed++
		return
	}
	for t.mu.count == maxLines || t.mu.bytes+cap(line) > maxBytes {
		t.popLocked()
		t.mu.missed++
	}
	t.mu.lines[(t.mu.first+t.mu.count)%maxLines] = line
	t.mu.count++
	t.mu.bytes += cap(line)
	t.notify()
}

// popLocked takes the oldest line out of the ring, which is not empty.
func (t *Tail) popLocked() []byte {
	line := t.mu.lines[t.mu.first]
	t.mu.lines[t.mu.first] = nil
	t.mu.first = (t.mu.first + 1) % maxLines
	t.mu.count--
	t.mu.bytes -= cap(line)
	return line
}

func (t *Tail) end() {
	t.mu.Lock()
	t.mu.ended = true
	t.mu.Unlock()
	t.notify()
}

func (t *Tail) notify() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}
