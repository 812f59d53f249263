package store

import (
	"unsafe"

	"github.com/rescind-edge/rescind/internal/store/slab"
)

// Keep makes a whole body the Content of an object to be stored, with a
// reference for the caller; of one that was stored before, it is the same. The
// bytes stay where they are, but for a last chunk that would waste room, and
// those who read the body go on. hash is what the content's slots are settled
// with, the name of their group its first chunk.
//
// It returns false where the body is not whole, or there is no room for what a
// content needs besides. Only the writer calls it.
func (b *Body) Keep(hash uint64) (Content, bool) {
	if !b.Whole() {
		return Content{}, false
	}
	b.mu.Lock()
	content := b.mu.content
	b.mu.Unlock()
	if !content.Found() {
		var ok bool
		if content, ok = b.makeContent(hash); !ok {
			return Content{}, false
		}
	}
	content.Retain()
	return content, true
}

// stretch is a part of a content in the making.
type stretch struct {
	ref  slab.Ref
	size int
}

// makeContent links the chunks. Nothing but this changes a sealed body's list
// of them, so it is read without the lock: taking room may evict.
func (b *Body) makeContent(hash uint64) (Content, bool) {
	pool := b.room.Pool()
	parts, copied, ok := b.stretches()
	if !ok {
		return Content{}, false
	}
	trailer, ok := b.storeTrailer()
	if !ok {
		if copied {
			pool.Free(parts[len(parts)-1].ref)
		}
		return Content{}, false
	}
	first := (*contentHeader)(pool.Pointer(parts[0].ref))
	first.refs.Store(1)
	first.trailer, first.length = trailer, b.Size()
	group := parts[0].ref
	if trailer != 0 {
		pool.Settle(trailer, group, hash)
	}
	for i, part := range parts {
		h := (*chunkHeader)(pool.Pointer(part.ref))
		h.next, h.size = 0, uint32(part.size)
		if i+1 < len(parts) {
			h.next = parts[i+1].ref
		}
		pool.Settle(part.ref, group, hash)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.content = Content{pool, first}
	if n := len(b.mu.chunks); copied && n > 0 {
		b.mu.spare = b.mu.chunks[n-1]
	}
	return b.mu.content, true
}

// stretches returns the parts of the content: the body's chunks, the last of
// them as a copy where its slot is much larger than its bytes. A content has at
// least one part.
func (b *Body) stretches() (parts []stretch, copied, ok bool) {
	b.mu.Lock()
	chunks, unseen := b.mu.chunks, b.mu.last
	b.mu.Unlock()
	var last []byte
	for i, c := range chunks {
		data := c.data
		if i == len(chunks)-1 {
			data = data[:len(data)+unseen]
			last = data
		}
		parts = append(parts, stretch{c.ref, len(data)})
	}
	if len(parts) > 0 && !b.wasteful(parts[len(parts)-1]) {
		return parts, false, true
	}
	c, ok := takeChunk(b.room, len(last))
	if !ok {
		return parts, false, len(parts) > 0 // it may as well stay where it is
	}
	part := stretch{c.ref, len(last)}
	copy(c.data[:len(last)], last)
	if len(parts) == 0 {
		return []stretch{part}, true, true
	}
	parts[len(parts)-1] = part
	return parts, true, true
}

// wasteful tells whether a part has a slot that is more than an eighth larger
// than need be.
func (b *Body) wasteful(part stretch) bool {
	pool := b.room.Pool()
	need := pool.SizeFor(part.size + chunkBytes)
	return pool.Size(part.ref) > need+need/8
}

// storeTrailer stores the trailer fields, if any.
func (b *Body) storeTrailer() (slab.Ref, bool) {
	b.mu.Lock()
	text := appendTrailer(nil, b.mu.trailer)
	b.mu.Unlock()
	pool := b.room.Pool()
	if len(text) == 0 {
		return 0, true
	}
	if len(text)+chunkBytes > pool.Most() {
		return 0, false
	}
	ref, ok := b.room.Take(len(text) + chunkBytes)
	if !ok {
		return 0, false
	}
	h := (*chunkHeader)(pool.Pointer(ref))
	h.next, h.size = 0, uint32(len(text))
	copy(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(h), chunkBytes)), len(text)), text)
	return ref, true
}
