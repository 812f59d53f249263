package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rescind-edge/rescind/internal/journal"
)

// ErrMalformed is wrapped by all errors of this package's parsers.
var ErrMalformed = errors.New("malformed")

func malformed(what string) error { return fmt.Errorf("cluster message %w: %s", ErrMalformed, what) }

// ID stands for a member's name where names would take too much room: the first
// eight bytes of its SHA-256. Among a thousand members, two share one with a
// probability of 3 in 10^14.
type ID uint64

// IDOf returns the ID of a name.
func IDOf(name string) ID {
	sum := sha256.Sum256([]byte(name))
	return ID(binary.BigEndian.Uint64(sum[:8]))
}

// reader takes values off the front of a message. After the first error it
// returns zeros.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = malformed(what)
	}
	r.data = nil
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.fail("it ends too early")
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.fail("a number")
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// count takes a number of things of at least size bytes each.
func (r *reader) count(most, size int) int {
	v := r.uvarint()
	if v > uint64(most) || int(v) > len(r.data)/size {
		r.fail("a number of parts above the limit")
		return 0
	}
	return int(v)
}

func (r *reader) text(most int) []byte {
	n := r.uvarint()
	if n > uint64(most) {
		r.fail("a text above the limit")
		return nil
	}
	return r.bytes(int(n))
}

func (r *reader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) array16() (a [16]byte) {
	copy(a[:], r.bytes(len(a)))
	return a
}

func (r *reader) incarnation() journal.Incarnation { return r.array16() }

func (r *reader) end() error {
	if r.err == nil && len(r.data) > 0 {
		r.fail("bytes after its end")
	}
	return r.err
}

func appendText[T string | []byte](to []byte, text T) []byte {
	to = binary.AppendUvarint(to, uint64(len(text)))
	return append(to, text...)
}
