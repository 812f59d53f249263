package store

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

// Room is where bodies have their bytes.
type Room interface {
	// Take returns a busy slot of at least n bytes, freeing others' where it
	// must; false: no room. n is at most Pool().Most().
	Take(n int) (slab.Ref, bool)
	// Pool returns the pool that slots are of, to which they are given back.
	Pool() *slab.Pool
}

var (
	// ErrNoRoom is returned by Body.Buffer where the budget has no more bytes.
	// The writer may go on after Body.Window.
	ErrNoRoom = errors.New("store: no room for the body")
	// ErrFellBehind is returned by Reader.Next where the reader was too slow
	// for a body of which only a window is kept.
	ErrFellBehind = errors.New("store: reader fell out of the window")
	// ErrAbandoned is returned by Body.WaitReader where nobody reads any more.
	ErrAbandoned = errors.New("store: no reader left")
)

// Body is the content of a response on its way: a list of chunks that is
// filling, complete or failed. One writer fills it; any number of Readers
// follow, each at its own pace, and none waits for another.
//
// A filling body keeps everything, or after Window only its last part; then
// the writer keeps pace with the fastest reader. A whole one can be stored: its
// chunks then are the Content of an Object, and the Body holds that.
type Body struct {
	room     Room
	expected int64 // length where it is known, else -1
	shared   bool  // stands for a Content that is stored; has no chunks
	refs     atomic.Int32
	sealed   atomic.Bool // all bytes have arrived
	done     atomic.Bool // and are shown; from then on chunks, size and window do not change

	mu struct {
		sync.Mutex
		chunks  []*chunk // committed bytes as length, room in the last one's capacity
		first   int64    // offset of chunks[0]; grows only under a window
		size    int64    // bytes committed
		last    int      // bytes of the last chunk that are sealed and not shown
		window  int64    // bytes kept behind the writer; 0: all
		err     error    // why it failed
		trailer field.Fields
		wake    chan struct{} // closed at the next change; nil while nobody waits
		readers []*Reader
		few     [2]*Reader // room for readers
		idle    func()     // called when the last reader of a filling body leaves

		content Content // that the chunks became, with a reference
		spare   *chunk  // the last one, where the content has a smaller copy of it
	}
}

// NewBody returns an empty body with one reference. size is the length to
// expect, -1 where unknown.
func NewBody(room Room, size int64) *Body {
	b := &Body{room: room, expected: size}
	b.refs.Store(1)
	return b
}

// BodyOf returns a complete body with one reference that is the content of a
// stored object. It adds a reference to that.
func BodyOf(c Content) *Body {
	c.Retain()
	b := &Body{shared: true}
	b.refs.Store(1)
	b.mu.content, b.mu.size = c, c.Size()
	b.sealed.Store(true)
	b.done.Store(true)
	return b
}

// Retain adds a reference.
func (b *Body) Retain() { b.refs.Add(1) }

// Release gives back a reference; the last one frees the bytes that are not
// stored.
func (b *Body) Release() {
	switch n := b.refs.Add(-1); {
	case n > 0:
		return
	case n < 0:
		panic("store: body released too often")
	}
	b.mu.Lock()
	chunks, content := b.mu.chunks, b.mu.content
	b.mu.chunks = nil
	if content.Found() { // the chunks are its own, but for one
		if chunks = nil; b.mu.spare != nil {
			chunks = []*chunk{b.mu.spare}
		}
	}
	b.mu.Unlock()
	for _, c := range chunks {
		c.free(b.room)
	}
	content.Release()
}

// OnIdle sets what is called when the last reader of a filling body leaves.
func (b *Body) OnIdle(f func()) {
	b.mu.Lock()
	b.mu.idle = f
	b.mu.Unlock()
}

// Buffer returns room to write into, at least one byte; Commit makes what was
// written there visible. It returns ErrNoRoom where the budget is spent.
func (b *Body) Buffer() ([]byte, error) {
	b.mu.Lock()
	if n := len(b.mu.chunks); n > 0 {
		last := b.mu.chunks[n-1].data
		if len(last) < cap(last) {
			b.mu.Unlock()
			return last[len(last):cap(last)], nil
		}
	}
	n, windowed := b.nextChunkLocked(), b.mu.window > 0
	b.mu.Unlock()

	// Taking room may evict, which must not happen under this body's lock. A
	// window is a small, bounded amount that is worth more than to fail a
	// response under way: without room, it is kept outside the budget.
	c, ok := takeChunk(b.room, n)
	if !ok {
		if !windowed {
			return nil, ErrNoRoom
		}
		c = &chunk{data: make([]byte, 0, n)}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.chunks = append(b.mu.chunks, c)
	return c.data[:cap(c.data)], nil
}

// nextChunkLocked returns how many bytes the next chunk should have. More than
// the expected length is not asked for, so that who reads a response into it
// notices one that is longer than its head says.
func (b *Body) nextChunkLocked() int {
	if rest := b.expected - b.mu.size; rest > 0 {
		return int(min(rest, int64(mostChunk-chunkBytes)))
	}
	switch {
	case b.mu.size >= mostChunk:
		return mostChunk - chunkBytes
	case b.mu.size >= firstChunk/2:
		return mostChunk/4 - chunkBytes
	}
	return firstChunk - chunkBytes
}

// Commit makes the first n bytes of Buffer's room visible to readers.
func (b *Body) Commit(n int) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	last := b.mu.chunks[len(b.mu.chunks)-1]
	last.data = last.data[:len(last.data)+n]
	b.mu.size += int64(n)
	b.slideLocked()
	b.wakeLocked()
}

// Seal ends the body well with the last n bytes written to Buffer's room,
// without showing them or the end to readers yet. In between, the body can be
// put into a store, so that whoever has read all of a response and asks again
// finds it there. Reveal must follow.
func (b *Body) Seal(n int, trailer field.Fields) {
	b.mu.Lock()
	b.mu.last, b.mu.trailer = n, trailer
	b.sealed.Store(true)
	b.mu.Unlock()
}

// Reveal shows the end of a sealed body.
func (b *Body) Reveal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.mu.chunks); n > 0 {
		c := b.mu.chunks[n-1]
		c.data = c.data[:len(c.data)+b.mu.last]
		b.mu.size += int64(b.mu.last)
		b.mu.last = 0
	}
	b.done.Store(true)
	b.wakeLocked()
}

// Complete ends the body well.
func (b *Body) Complete(trailer field.Fields) {
	b.Seal(0, trailer)
	b.Reveal()
}

// Fail ends the body short: readers get err after what has arrived.
func (b *Body) Fail(err error) {
	b.mu.Lock()
	b.mu.err = err
	b.wakeLocked()
	b.mu.Unlock()
}

// Whole tells whether all bytes of the body have arrived and are kept from the
// first one on.
func (b *Body) Whole() bool { return b.sealed.Load() && b.Kept() }

// Kept tells whether the body is kept from its first byte on.
func (b *Body) Kept() bool {
	if !b.done.Load() {
		b.mu.Lock()
		defer b.mu.Unlock()
	}
	return b.mu.window == 0
}

// Begins tells whether the body's first byte is still there: who starts to read
// now misses nothing.
func (b *Body) Begins() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.first == 0
}

// Size returns the bytes that have arrived.
func (b *Body) Size() int64 {
	if b.done.Load() {
		return b.mu.size
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.size + int64(b.mu.last)
}

// Readers returns how many readers follow a filling body.
func (b *Body) Readers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mu.readers)
}

// Trailer returns the trailer fields of a complete body.
func (b *Body) Trailer() field.Fields {
	switch {
	case b.shared:
		return b.mu.content.Trailer()
	case b.done.Load():
		return b.mu.trailer
	}
	return nil
}

func (b *Body) waitLocked() <-chan struct{} {
	if b.mu.wake == nil {
		b.mu.wake = make(chan struct{})
	}
	return b.mu.wake
}

func (b *Body) wakeLocked() {
	if b.mu.wake != nil {
		close(b.mu.wake)
		b.mu.wake = nil
	}
}
