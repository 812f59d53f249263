package store

import (
	"context"
	"io"
	"slices"
)

// Reader follows a Body or reads a Content from an offset on. It holds a
// reference.
type Reader struct {
	body  *Body
	pos   int64  // offset of the next byte; guarded by the body's lock while that fills
	chunk int    // index of the chunk that holds pos, a hint for complete bodies
	base  int64  // offset of that chunk, or of what cursor comes to next
	live  bool   // listed in the body's readers
	had   *chunk // of a filling body, whose bytes were returned last

	content Content // where it is no Body
	cursor  Cursor
}

// NewReader returns a reader from offset off on.
func (b *Body) NewReader(off int64) *Reader {
	if b.shared {
		return b.mu.content.NewReader(off)
	}
	b.Retain()
	r := &Reader{body: b, pos: off}
	if b.done.Load() {
		return r
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.readers == nil {
		b.mu.readers = b.mu.few[:0]
	}
	b.mu.readers = append(b.mu.readers, r)
	r.live = true
	return r
}

// NewReader returns a reader from offset off on.
func (c Content) NewReader(off int64) *Reader {
	c.Retain()
	return &Reader{content: c, cursor: c.Cursor(), pos: off}
}

// Next returns the next bytes, waiting until there are some. They stay valid
// until Next, SeekTo or Close is called again and must not be written to. It returns io.EOF at the end of a complete body, the
// writer's error at the end of a failed one, ErrFellBehind where the bytes are
// gone, and the context's cause where that ends first.
func (r *Reader) Next(ctx context.Context) ([]byte, error) {
	if r.body == nil {
		return r.nextStored()
	}
	if r.body.done.Load() && r.body.mu.window == 0 {
		return r.nextDone()
	}
	for {
		p, wake, err := r.nextFilling()
		if wake == nil {
			return p, err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (r *Reader) nextStored() ([]byte, error) {
	for {
		p := r.cursor.Next()
		if p == nil {
			return nil, io.EOF
		}
		in := r.pos - r.base
		if r.base += int64(len(p)); in < int64(len(p)) {
			r.pos = r.base
			return p[in:len(p):len(p)], nil
		}
	}
}

// nextDone reads without a lock: a complete body does not change.
func (r *Reader) nextDone() ([]byte, error) {
	chunks := r.body.mu.chunks
	for r.chunk < len(chunks) {
		chunk := chunks[r.chunk].data
		if in := r.pos - r.base; in < int64(len(chunk)) {
			r.pos = r.base + int64(len(chunk))
			r.base, r.chunk = r.pos, r.chunk+1
			return chunk[in:len(chunk):len(chunk)], nil
		}
		r.base += int64(len(chunk))
		r.chunk++
	}
	return nil, io.EOF
}

func (r *Reader) nextFilling() (p []byte, wake <-chan struct{}, err error) {
	b := r.body
	b.mu.Lock()
	defer b.mu.Unlock()
	r.letGoLocked()
	if r.pos < b.mu.first {
		return nil, nil, ErrFellBehind
	}
	if r.pos < b.mu.size {
		at := b.mu.first
		for _, c := range b.mu.chunks {
			chunk := c.data
			if in := r.pos - at; in < int64(len(chunk)) {
				r.pos = at + int64(len(chunk))
				c.pins++
				r.had = c
				if b.mu.window > 0 {
					b.wakeLocked() // the writer may wait for this reader
				}
				return chunk[in:len(chunk):len(chunk)], nil, nil
			}
			at += int64(len(chunk))
		}
	}
	switch {
	case b.mu.err != nil:
		return nil, nil, b.mu.err
	case b.done.Load():
		return nil, nil, io.EOF
	}
	return nil, b.waitLocked(), nil
}

// letGoLocked gives up the bytes that were returned last, which the window may
// have passed meanwhile.
func (r *Reader) letGoLocked() {
	if r.had != nil {
		r.had.unpin(r.body.room)
		r.had = nil
	}
}

// Close gives back the reader's reference. The slices it returned must no
// longer be used.
func (r *Reader) Close() {
	b := r.body
	if b == nil {
		r.content.Release()
		r.content, r.cursor = Content{}, Cursor{}
		return
	}
	var idle func()
	if r.live || r.had != nil {
		b.mu.Lock()
		r.letGoLocked()
		b.removeReaderLocked(r)
		if r.live && len(b.mu.readers) == 0 && !b.done.Load() && b.mu.err == nil {
			idle = b.mu.idle
		}
		if b.mu.window > 0 {
			b.wakeLocked()
		}
		b.mu.Unlock()
	}
	r.body = nil
	if idle != nil {
		idle()
	}
	b.Release()
}

// removeReaderLocked takes a reader out, if it is there. Their order means nothing.
func (b *Body) removeReaderLocked(r *Reader) {
	i := slices.Index(b.mu.readers, r)
	if i < 0 {
		return
	}
	last := len(b.mu.readers) - 1
	b.mu.readers[i] = b.mu.readers[last]
	b.mu.readers[last] = nil
	b.mu.readers = b.mu.readers[:last]
}

// Complete tells whether the body is complete.
func (r *Reader) Complete() bool { return r.body == nil || r.body.done.Load() }

// Kept tells whether the body is kept from its first byte on, so that the
// reader may go anywhere, for as long as that lasts: one that is still filling
// may outgrow its store.
func (r *Reader) Kept() bool { return r.body == nil || r.body.Kept() }

// SeekTo moves the reader to an offset, forward or back.
func (r *Reader) SeekTo(off int64) {
	b := r.body
	if b == nil {
		r.pos, r.base, r.cursor = off, 0, r.content.Cursor()
		return
	}
	if b.done.Load() && !r.live {
		r.pos, r.chunk, r.base = off, 0, 0
		return
	}
	b.mu.Lock()
	r.pos, r.chunk, r.base = off, 0, 0
	b.wakeLocked() // the writer may wait for this reader
	b.mu.Unlock()
}

// Pos returns the offset of the next byte.
func (r *Reader) Pos() int64 { return r.pos }
