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

// HeadSpec is what a Head is made of.
type HeadSpec struct {
	Status  int
	Fields  field.Fields           // end-to-end fields in the origin's order
	Hidden  func(name string) bool // fields kept but not delivered, such as tag headers; nil: none
	Tags    []field.Tag
	Keys    []string // surrogate keys, for people who ask
	Stamp   field.Position
	Times   field.Times
	Born    int64  // Unix nanoseconds from which age counts
	Variant string // the variant key of httpcache
	URL     string // for people, logs and the count of a URL purge
	Flags   Flags
	Length  int64 // of the body, -1 while unknown
}

// Head is the immutable first part of a stored response: one block of bytes
// without pointers, so that millions of them cost a garbage collector nothing
// to scan. Strings that its methods return point into the block.
type Head struct {
	blob []byte
}

// Layout of the fixed part; all little-endian.
const (
	offStatus  = 0  // uint16
	offFlags   = 2  // uint16
	offTags    = 4  // uint32: number of tags
	offFields  = 8  // uint32: number of field lines
	offKeys    = 12 // uint32: number of surrogate keys
	offVariant = 16 // uint32: bytes of the variant key
	offURL     = 20 // uint32: bytes of the URL
	offStamp   = 24
	offFresh   = 32
	offSWR     = 40
	offSIE     = 48
	offKeep    = 56
	offBorn    = 64
	offLength  = 72
	fixedBytes = 80

	lineBytes = 12 // per field line: offset uint32, name uint16, hidden uint16, value uint32
	keyBytes  = 8  // per key: offset uint32, length uint32
)

// NewHead encodes a Head. Names longer than 65,535 bytes do not occur: the
// client towards the origin bounds a head far below.
func NewHead(s HeadSpec) *Head {
	size := fixedBytes + 8*len(s.Tags) + lineBytes*len(s.Fields) + keyBytes*len(s.Keys)
	at := size
	for _, f := range s.Fields {
		size += len(f.Name) + len(f.Value)
	}
	for _, k := range s.Keys {
		size += len(k)
	}
	size += len(s.Variant) + len(s.URL)
	b := make([]byte, size)
	put16, put32, put64 := binary.LittleEndian.PutUint16, binary.LittleEndian.PutUint32, binary.LittleEndian.PutUint64
	put16(b[offStatus:], uint16(s.Status))
	put16(b[offFlags:], uint16(s.Flags))
	put32(b[offTags:], uint32(len(s.Tags)))
	put32(b[offFields:], uint32(len(s.Fields)))
	put32(b[offKeys:], uint32(len(s.Keys)))
	put32(b[offVariant:], uint32(len(s.Variant)))
	put32(b[offURL:], uint32(len(s.URL)))
	put64(b[offStamp:], uint64(s.Stamp))
	put64(b[offFresh:], uint64(s.Times.Fresh))
	put64(b[offSWR:], uint64(s.Times.SWR))
	put64(b[offSIE:], uint64(s.Times.SIE))
	put64(b[offKeep:], uint64(s.Times.Keep))
	put64(b[offBorn:], uint64(s.Born))
	put64(b[offLength:], uint64(s.Length))
	p := fixedBytes
	for _, t := range s.Tags {
		put64(b[p:], uint64(t))
		p += 8
	}
	for _, f := range s.Fields {
		put32(b[p:], uint32(at))
		put16(b[p+4:], uint16(len(f.Name)))
		if s.Hidden != nil && s.Hidden(f.Name) {
			put16(b[p+6:], 1)
		}
		put32(b[p+8:], uint32(len(f.Value)))
		at += copy(b[at:], f.Name)
		at += copy(b[at:], f.Value)
		p += lineBytes
	}
	for _, k := range s.Keys {
		put32(b[p:], uint32(at))
		put32(b[p+4:], uint32(len(k)))
		at += copy(b[at:], k)
		p += keyBytes
	}
	at += copy(b[at:], s.Variant)
	copy(b[at:], s.URL)
	return &Head{blob: b}
}

func (h *Head) u16(at int) int   { return int(binary.LittleEndian.Uint16(h.blob[at:])) }
func (h *Head) u32(at int) int   { return int(binary.LittleEndian.Uint32(h.blob[at:])) }
func (h *Head) i64(at int) int64 { return int64(binary.LittleEndian.Uint64(h.blob[at:])) }

func (h *Head) text(at, n int) string {
	if n == 0 {
		return ""
	}
	return unsafe.String(&h.blob[at], n)
}

// Size returns the bytes that the Head takes.
func (h *Head) Size() int { return len(h.blob) }

// Status returns the response's status code.
func (h *Head) Status() int { return h.u16(offStatus) }

// Flags returns the Head's flags.
func (h *Head) Flags() Flags { return Flags(h.u16(offFlags)) }

// Is tells whether all of the given flags are set.
func (h *Head) Is(f Flags) bool { return h.Flags()&f == f }

// Stamp returns the position at which the fetch began.
func (h *Head) Stamp() field.Position { return field.Position(h.i64(offStamp)) }

// Times returns the response's own times, before any purge bounded them.
func (h *Head) Times() field.Times {
	return field.Times{Fresh: h.i64(offFresh), SWR: h.i64(offSWR), SIE: h.i64(offSIE), Keep: h.i64(offKeep)}
}

// Born returns the instant from which the response's age counts, in Unix
// nanoseconds.
func (h *Head) Born() int64 { return h.i64(offBorn) }

// Length returns the body's length in bytes, -1 where it is not known.
func (h *Head) Length() int64 { return h.i64(offLength) }

// NumTags returns the number of tags.
func (h *Head) NumTags() int { return h.u32(offTags) }

// Tag returns tag i of NumTags. The first is that of the URL in any spelling.
func (h *Head) Tag(i int) field.Tag { return field.Tag(h.i64(fixedBytes + 8*i)) }

// AppendTags appends all tags to dst.
func (h *Head) AppendTags(dst []field.Tag) []field.Tag {
	for i := range h.NumTags() {
		dst = append(dst, h.Tag(i))
	}
	return dst
}

func (h *Head) lines() int { return fixedBytes + 8*h.NumTags() }

// NumFields returns the number of field lines, hidden ones included.
func (h *Head) NumFields() int { return h.u32(offFields) }

// Field returns line i of NumFields, and whether it is not delivered.
func (h *Head) Field(i int) (f field.Field, hidden bool) {
	p := h.lines() + lineBytes*i
	at, n := h.u32(p), h.u16(p+4)
	return field.Field{Name: h.text(at, n), Value: h.text(at+n, h.u32(p+8))}, h.u16(p+6) != 0
}

// AppendFields appends the field lines to dst, with the hidden ones only where
// they are asked for.
func (h *Head) AppendFields(dst field.Fields, withHidden bool) field.Fields {
	for i := range h.NumFields() {
		if f, hidden := h.Field(i); withHidden || !hidden {
			dst = append(dst, f)
		}
	}
	return dst
}

// Get returns the first value of a field, hidden or not.
func (h *Head) Get(name string) (string, bool) {
	for i := range h.NumFields() {
		if f, _ := h.Field(i); field.EqualFold(f.Name, name) {
			return f.Value, true
		}
	}
	return "", false
}

func (h *Head) keys() int { return h.lines() + lineBytes*h.NumFields() }

// NumKeys returns the number of surrogate keys.
func (h *Head) NumKeys() int { return h.u32(offKeys) }

// SurrogateKey returns key i of NumKeys.
func (h *Head) SurrogateKey(i int) string {
	p := h.keys() + keyBytes*i
	return h.text(h.u32(p), h.u32(p+4))
}

// Variant returns the variant key.
func (h *Head) Variant() string {
	end := len(h.blob) - h.u32(offURL)
	n := h.u32(offVariant)
	return h.text(end-n, n)
}

// URL returns the response's URL as it was first asked for.
func (h *Head) URL() string {
	n := h.u32(offURL)
	return h.text(len(h.blob)-n, n)
}
