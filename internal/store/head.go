package store

import (
	"encoding/binary"
	"unsafe"

	"github.com/rescind-edge/rescind/internal/field"
)

// Flags are what a Head says in single bits.
type Flags uint16

const (
	MustRevalidate Flags = 1 << iota // once stale, an error answers where revalidation fails
	Uncacheable                      // remembers that the answer could not be stored: hit-for-miss
	HasValidator                     // carries ETag or Last-Modified
	Immutable                        // its freshness is a promise (RFC 8246)
	Derived                          // another form of a stored response: not counted, not listed
	TooLarge                         // beside Uncacheable: only for its size, so that it may be shared
)

// Head is the immutable first part of a response: the beginning of one block of
// bytes without pointers, which holds everything else behind it. A *Head never
// points to anything but such a block, on the heap or in a store's memory, and
// is never copied by value.
//
// Strings that its methods return point into the block. The block of a response
// in flight lives as long as anybody points to it. That of a stored Object lives
// as long as the Object is held: after Release neither the Head nor any string
// of it may be touched. Who needs them longer uses Clone or CopyFields.
//
// Field lines are in the order in which HTTP/1 answers have them here: by
// canonical name, those of one name as the origin sent them, and hidden ones
// behind all others. The text of each is what goes on the wire.
type Head struct {
	size    uint32 // bytes of the block
	end     uint32 // of the field lines' text; the variant key follows, then the URL
	status  uint16
	flags   Flags
	tags    uint32 // number of tags
	fields  uint32 // number of field lines
	shown   uint32 // of which are delivered
	keys    uint32 // number of surrogate keys
	variant uint32 // bytes of the variant key
	stamp   uint64
	times   field.Times
	born    int64
	length  int64
}

// Behind the fixed part come the tags, 8 bytes each; an entry for each field
// line and then for each key, of refBytes; the text of keys that are in no
// field; the text of the lines; variant key and URL.
const (
	fixedBytes = int(unsafe.Sizeof(Head{}))
	tagBytes   = 8
	refBytes   = 6 // offset uint32; length uint16, of a name or key
)

func (h *Head) at(off int) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(h), off) }

func (h *Head) text(from, to int) string {
	if from == to {
		return ""
	}
	return unsafe.String((*byte)(h.at(from)), to-from)
}

// ref returns entry i of lines and keys.
func (h *Head) ref(i int) (off, n int) {
	e := unsafe.Slice((*byte)(h.at(fixedBytes+tagBytes*int(h.tags)+refBytes*i)), refBytes)
	return int(binary.LittleEndian.Uint32(e)), int(binary.LittleEndian.Uint16(e[4:]))
}

// Bytes returns the block, for stores to copy: such a copy, aligned to 8 bytes,
// is a Head again.
func (h *Head) Bytes() []byte { return unsafe.Slice((*byte)(unsafe.Pointer(h)), h.size) }

// Clone returns a copy on the heap, which lives as long as anybody points to it.
func (h *Head) Clone() *Head {
	c := newBlock(int(h.size))
	copy(c.block(int(h.size)), h.Bytes())
	return c
}

// newBlock returns a zero Head with room for n bytes in all.
func newBlock(n int) *Head {
	return (*Head)(unsafe.Pointer(unsafe.SliceData(make([]uint64, (n+7)/8))))
}

func (h *Head) block(n int) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(h)), n) }

// Size returns the bytes that the Head takes.
func (h *Head) Size() int { return int(h.size) }

// Status returns the response's status code.
func (h *Head) Status() int { return int(h.status) }

// Flags returns the Head's flags.
func (h *Head) Flags() Flags { return h.flags }

// Is tells whether all of the given flags are set.
func (h *Head) Is(f Flags) bool { return h.flags&f == f }

// Stamp returns the position at which the fetch began.
func (h *Head) Stamp() field.Position { return field.Position(h.stamp) }

// Times returns the response's own times, before any purge bounded them.
func (h *Head) Times() field.Times { return h.times }

// Born returns the instant from which the response's age counts, in Unix
// nanoseconds.
func (h *Head) Born() int64 { return h.born }

// Length returns the body's length in bytes, -1 where it is not known.
func (h *Head) Length() int64 { return h.length }

// NumTags returns the number of tags.
func (h *Head) NumTags() int { return int(h.tags) }

// Tag returns tag i of NumTags. The first is that of the URL in any spelling.
func (h *Head) Tag(i int) field.Tag { return *(*field.Tag)(h.at(fixedBytes + tagBytes*i)) }

// AppendTags appends all tags to dst.
func (h *Head) AppendTags(dst []field.Tag) []field.Tag {
	for i := range h.NumTags() {
		dst = append(dst, h.Tag(i))
	}
	return dst
}

// NumKeys returns the number of surrogate keys.
func (h *Head) NumKeys() int { return int(h.keys) }

// SurrogateKey returns key i of NumKeys.
func (h *Head) SurrogateKey(i int) string {
	off, n := h.ref(int(h.fields) + i)
	return h.text(off, off+n)
}

// Variant returns the variant key.
func (h *Head) Variant() string { return h.text(int(h.end), int(h.end+h.variant)) }

// URL returns the response's URL as it was first asked for.
func (h *Head) URL() string { return h.text(int(h.end+h.variant), int(h.size)) }
