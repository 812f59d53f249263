package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is the version of all messages of this package.
const Version = 1

var (
	// ErrMalformed is wrapped by parsers' errors about bytes that no encoder
	// writes.
	ErrMalformed = errors.New("malformed")
	// ErrVersion is wrapped by parsers' errors about bytes that a later version
	// may have written.
	ErrVersion = errors.New("of a version that this program does not know")
)

func malformed(what string) error { return fmt.Errorf("wire: %w: %s", ErrMalformed, what) }

// reader takes values off the front of a message. After the first error it
// returns zeros.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.data = nil
}

// version takes the version byte.
func (r *reader) version() {
	switch v := r.byte(); {
	case r.err == nil && v != Version:
		r.fail(fmt.Errorf("wire: message %w: %d, not %d", ErrVersion, v, Version))
	}
}

func (r *reader) byte() byte {
	if len(r.data) == 0 {
		r.fail(malformed("it ends too early"))
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

// uvarint takes a number in its shortest form.
func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 || n > 1 && r.data[n-1] == 0 {
		r.fail(malformed("a number"))
		return 0
	}
	r.data = r.data[n:]
	return v
}

// varint takes a signed number, zigzag-coded.
func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// count takes a number of things of which each takes at least size bytes, so
// that no promise of a message makes us allocate more than it is long.
func (r *reader) count(most, size int) int {
	v := r.uvarint()
	if v > uint64(most) {
		r.fail(malformed("a number of parts above the limit"))
		return 0
	}
	if int(v) > len(r.data)/size {
		r.fail(malformed("it ends too early"))
		return 0
	}
	return int(v)
}

// bytes takes n bytes, which alias the message.
func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.fail(malformed("it ends too early"))
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

// text takes a length up to a limit and as many bytes; nil for none.
func (r *reader) text(most int) []byte {
	n := r.uvarint()
	if n > uint64(most) {
		r.fail(malformed("a text above the limit"))
		return nil
	}
	if n == 0 {
		return nil
	}
	return r.bytes(n)
}

// end returns the first error, or one if anything is left.
func (r *reader) end() error {
	if r.err == nil && len(r.data) > 0 {
		r.fail(malformed("bytes after its end"))
	}
	return r.err
}

func appendText(to, text []byte) []byte {
	to = binary.AppendUvarint(to, uint64(len(text)))
	return append(to, text...)
}
