package server

import (
	"io"
	"sync"
)

// pooledSize is what nearly every request head fits into.
const pooledSize = 4 << 10

func newBufferPool() *sync.Pool {
	return &sync.Pool{New: func() any { return new([pooledSize]byte) }}
}

// buffer holds what was received and not yet passed on. Empty, it holds no
// memory. It grows up to the limit given to fill; append and unread add at most
// one read of the caller's, which is bounded there.
type buffer struct {
	pool   *sync.Pool
	pooled *[pooledSize]byte // what data lies in, or nil
	data   []byte            // data[:r] has been passed on
	r      int
}

func (b *buffer) bytes() []byte { return b.data[b.r:] }
func (b *buffer) len() int      { return len(b.data) - b.r }

// discard removes n bytes from the front.
func (b *buffer) discard(n int) {
	b.r += n
	if b.r == len(b.data) {
		b.release()
	}
}

// release forgets everything.
func (b *buffer) release() {
	if b.pooled != nil {
		b.pool.Put(b.pooled)
	}
	b.pooled, b.data, b.r = nil, nil, 0
}

// append adds p at the end.
func (b *buffer) append(p []byte) {
	if len(p) > 0 {
		b.reserve(len(p))
		b.data = append(b.data, p...)
	}
}

// unread puts p, which was just discarded or read, back at the front.
func (b *buffer) unread(p []byte) {
	if len(p) == 0 {
		return
	}
	if b.len() > 0 && b.r >= len(p) {
		b.r -= len(p)
		copy(b.data[b.r:], p)
		return
	}
	rest := append([]byte(nil), b.bytes()...)
	b.release()
	b.append(p)
	b.append(rest)
}

// fill reads once from r, into a buffer that grows up to limit bytes. It
// returns io.ErrShortBuffer where that many are there already.
func (b *buffer) fill(r io.Reader, limit int) (int, error) {
	limit = max(limit, pooledSize)
	if b.len() >= limit {
		return 0, io.ErrShortBuffer
	}
	if b.pooled == nil && b.data == nil || len(b.data) == cap(b.data) {
		b.reserve(min(max(b.len(), 1), limit-b.len()))
	}
	n, err := r.Read(b.data[len(b.data):cap(b.data)])
	b.data = b.data[:len(b.data)+n]
	if b.len() == 0 {
		b.release()
	}
	return n, err
}

// reserve makes room for n more bytes behind data.
func (b *buffer) reserve(n int) {
	need := b.len() + n
	switch {
	case cap(b.data)-len(b.data) >= n:
	case cap(b.data) >= need:
		copy(b.data, b.bytes())
		b.data, b.r = b.data[:b.len()], 0
	case need <= pooledSize:
		b.pooled = b.pool.Get().(*[pooledSize]byte)
		b.data, b.r = append(b.pooled[:0], b.bytes()...), 0
	default:
		larger := append(make([]byte, 0, need), b.bytes()...)
		b.release()
		b.data = larger
	}
}
