package store

import (
	"encoding/binary"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

// Content is the complete body of a stored response: a chain of chunks in slots
// of a slab.Pool. The beginning of the first counts the references; the last
// one frees all.
//
// A Content from an Object is valid while that is held; Retain gives it a
// reference of its own. The zero Content is none.
type Content struct {
	pool  *slab.Pool
	first *contentHeader
}

// chunkHeader is what stands before the bytes of a chunk.
type chunkHeader struct {
	slab.Header
	next slab.Ref
	size uint32 // bytes of the chunk's part
}

// contentHeader is the first chunk's. Others leave the room unused: that of a
// body of unknown length may become the first of no other.
type contentHeader struct {
	chunkHeader
	refs    atomic.Int32
	trailer slab.Ref // 0: none
	length  int64
}

// chunkBytes is what each chunk takes beside its part of the body.
const chunkBytes = int(unsafe.Sizeof(contentHeader{}))

// ContentAt returns the Content whose first chunk is r, without a reference;
// none where r is zero.
func ContentAt(p *slab.Pool, r slab.Ref) Content {
	if r == 0 {
		return Content{}
	}
	return Content{p, (*contentHeader)(p.Pointer(r))}
}

// Found tells whether there is content.
func (c Content) Found() bool { return c.first != nil }

// Ref names the first chunk.
func (c Content) Ref() slab.Ref { return c.first.Group() }

// Pool returns the pool that the chunks are in.
func (c Content) Pool() *slab.Pool { return c.pool }

// Size returns the length in bytes.
func (c Content) Size() int64 { return c.first.length }

// Retain adds a reference.
func (c Content) Retain() { c.first.refs.Add(1) }

// Release gives back a reference. It does nothing to none.
func (c Content) Release() {
	if c.first == nil {
		return
	}
	switch n := c.first.refs.Add(-1); {
	case n > 0:
		return
	case n < 0:
		panic("store: content released too often")
	}
	if t := c.first.trailer; t != 0 {
		c.pool.Free(t)
	}
	for at := c.Ref(); at != 0; {
		next := (*chunkHeader)(c.pool.Pointer(at)).next
		c.pool.Free(at)
		at = next
	}
}

// Cost returns the bytes of memory that the content takes.
func (c Content) Cost() (n int64) {
	if c.first == nil {
		return 0
	}
	if t := c.first.trailer; t != 0 {
		n += int64(c.pool.Size(t))
	}
	for at := c.Ref(); at != 0; at = (*chunkHeader)(c.pool.Pointer(at)).next {
		n += int64(c.pool.Size(at))
	}
	return n
}

// Cursor goes through a Content chunk by chunk without allocating. It holds no
// reference.
type Cursor struct {
	pool *slab.Pool
	next slab.Ref
}

// Cursor returns a Cursor at the first chunk.
func (c Content) Cursor() Cursor { return Cursor{c.pool, c.Ref()} }

// Next returns the bytes of the next chunk, nil at the end. They must not be
// written to.
func (c *Cursor) Next() []byte {
	if c.next == 0 {
		return nil
	}
	p := c.pool.Pointer(c.next)
	h := (*chunkHeader)(p)
	c.next = h.next
	return unsafe.Slice((*byte)(unsafe.Add(p, chunkBytes)), h.size)
}

// AppendParts appends to dst, as they lie in memory, n bytes from an offset on.
// They stay valid for as long as the content is held.
func (c Content) AppendParts(dst [][]byte, off, n int64) [][]byte {
	at := c.Cursor()
	for p := at.Next(); p != nil && n > 0; p = at.Next() {
		size := int64(len(p))
		if off >= size {
			off -= size
			continue
		}
		part := p[off:min(size, off+n)]
		off, n = 0, n-int64(len(part))
		dst = append(dst, part)
	}
	return dst
}

// Trailer returns the trailer fields, which live on their own.
func (c Content) Trailer() (f field.Fields) {
	if c.first.trailer == 0 {
		return nil
	}
	b := unsafe.Slice((*byte)(unsafe.Add(c.pool.Pointer(c.first.trailer), chunkBytes)),
		(*chunkHeader)(c.pool.Pointer(c.first.trailer)).size)
	for len(b) > 0 {
		var name, value string
		name, b = cutText(b)
		value, b = cutText(b)
		f = f.Add(name, value)
	}
	return f
}

// appendTrailer encodes trailer fields: each name and value behind its length.
func appendTrailer(b []byte, f field.Fields) []byte {
	for _, line := range f {
		for _, s := range [...]string{line.Name, line.Value} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	return b
}

func cutText(b []byte) (s string, rest []byte) {
	n, width := binary.Uvarint(b)
	b = b[width:]
	return strings.Clone(unsafe.String(unsafe.SliceData(b), n)), b[n:]
}
