package store

import (
	"unsafe"

	"github.com/rescind-edge/rescind/internal/store/slab"
)

// Sizes of the slots that a body of unknown length grows by. Small ones first,
// because most such bodies are small; the largest bounds what the last chunk
// wastes while it fills. One of known length has chunks of the largest size and
// a last one that fits.
const (
	firstChunk = 4 << 10
	mostChunk  = 64 << 10
)

// chunk is a part of a Body. All but its bytes is guarded by the body's lock.
type chunk struct {
	ref  slab.Ref // 0: on the heap, outside the budget
	data []byte   // committed bytes as length
	pins int      // readers that were given bytes of it and may still use them
	gone bool     // dropped; it is freed with the last pin
}

// takeChunk returns a chunk for n bytes, or fewer where no slot is that large.
func takeChunk(room Room, n int) (*chunk, bool) {
	p := room.Pool()
	ref, ok := room.Take(min(n+chunkBytes, p.Most()))
	if !ok {
		return nil, false
	}
	memory := unsafe.Slice((*byte)(unsafe.Add(p.Pointer(ref), chunkBytes)), min(n, p.Size(ref)-chunkBytes))
	return &chunk{ref: ref, data: memory[:0]}, true
}

// drop frees the chunk, at once or when its last reader is done with it.
func (c *chunk) drop(room Room) {
	if c.gone = true; c.pins == 0 {
		c.free(room)
	}
}

func (c *chunk) unpin(room Room) {
	if c.pins--; c.pins == 0 && c.gone {
		c.free(room)
	}
}

func (c *chunk) free(room Room) {
	if c.ref != 0 {
		room.Pool().Free(c.ref)
		c.ref = 0
	}
}
