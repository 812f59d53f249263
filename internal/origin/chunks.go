package origin

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

const (
	// A size of 16 hexadecimal digits is all that 64 bits hold.
	maxSizeDigits = 16
	// What stands behind a size is dropped unread. The extensions in use are
	// signatures of less than 100 bytes.
	maxLineExtension = 256
	// How much a body may consist of other things than data, beyond what chunks
	// of a common size need (see chunks.spent).
	maxOverhead = 16 << 10
	// Trailers are checksums and the like.
	maxTrailerBytes = 4 << 10
)

var (
	errChunkSize = errors.New("malformed chunk size")
	errChunkEnd  = errors.New("a chunk is longer than its size")
	errChunkLine = errors.New("a line of the chunked body does not end in CR and LF")
	errOverhead  = errors.New("the chunked body has too much that is no data")
	errTrailers  = errors.New("the trailer section is too large")
)

// chunks follows a chunked body (RFC 9112 section 7.1): it finds the data in it
// and its end, and refuses whatever has more than one reading. It does no I/O.
type chunks struct {
	state     chunkState
	digits    int    // of the size being read
	size      uint64 // being read
	left      int64  // of the data of the chunk
	extension int    // bytes behind the size on this line
	overhead  int64  // beyond what was earned by data
	section   int    // bytes of the trailer section
	line      []byte // of it
	trailer   field.Fields
}

type chunkState uint8

const (
	inSize chunkState = iota
	inPadding
	inExtension
	afterSizeCR
	inData
	afterData
	afterDataCR
	inTrailer
	afterTrailerCR
	atEnd
)

// done tells whether the body is at its end.
func (c *chunks) done() bool { return c.state == atEnd }

// data returns how many bytes of data come next; 0 where something else does.
func (c *chunks) data() int64 {
	if c.state == inData {
		return c.left
	}
	return 0
}

// took is told of n bytes of the data, at most data().
func (c *chunks) took(n int) {
	if c.left -= int64(n); c.left == 0 {
		c.state = afterData
	}
}

// skip passes what stands between data and returns how many bytes of b that
// was. It stops at data, at the end, and where b ends.
func (c *chunks) skip(b []byte) (n int, err error) {
	for n < len(b) && c.state != inData && c.state != atEnd {
		if err := c.step(b[n]); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (c *chunks) step(b byte) error {
	switch c.state {
	case inSize:
		return c.stepSize(b)
	case inPadding:
		return c.stepPadding(b)
	case inExtension:
		return c.stepExtension(b)
	case afterSizeCR:
		return c.endSizeLine(b)
	case afterData:
		return c.expect(b, '\r', afterDataCR, errChunkEnd)
	case afterDataCR:
		c.digits, c.size, c.extension = 0, 0, 0
		return c.expect(b, '\n', inSize, errChunkEnd)
	case inTrailer:
		return c.stepTrailer(b)
	default: // afterTrailerCR
		return c.endTrailerLine(b)
	}
}

func (c *chunks) expect(b, want byte, next chunkState, otherwise error) error {
	if b != want {
		return otherwise
	}
	c.state = next
	return nil
}

func (c *chunks) stepSize(b byte) error {
	if d := field.Unhex(b); d >= 0 {
		if c.digits++; c.digits > maxSizeDigits {
			return errChunkSize
		}
		c.size = c.size<<4 | uint64(d)
		return nil
	}
	switch {
	case c.digits == 0 || c.size > math.MaxInt64:
		return errChunkSize
	case b == '\r':
		c.state = afterSizeCR
	case b == ';':
		c.state = inExtension
		return c.stepExtension(b)
	case b == ' ', b == '\t': // old servers fill the line up
		c.state = inPadding
		return c.stepPadding(b)
	case b == '\n':
		return errChunkLine
	default:
		return errChunkSize
	}
	return nil
}

// stepPadding passes blanks up to the end of the line. An extension behind them
// is refused, as net/http does: nobody sends one.
func (c *chunks) stepPadding(b byte) error {
	switch b {
	case '\r', '\n', ' ', '\t':
		return c.stepExtension(b)
	}
	return errChunkSize
}

func (c *chunks) stepExtension(b byte) error {
	switch {
	case b == '\r':
		c.state = afterSizeCR
		return nil
	case b == '\n':
		return errChunkLine
	case b < ' ' && b != '\t', b == 0x7f:
		return errChunkSize
	case c.extension == maxLineExtension:
		return errOverhead
	}
	c.extension++
	return nil
}

func (c *chunks) endSizeLine(b byte) error {
	c.left = int64(c.size)
	if err := c.spent(); err != nil {
		return err
	}
	if c.left == 0 {
		return c.expect(b, '\n', inTrailer, errChunkLine)
	}
	return c.expect(b, '\n', inData, errChunkLine)
}

// spent counts what is no data against what is. Chunks of a few bytes are
// inefficient but happen, so each earns a little by itself.
func (c *chunks) spent() error {
	const perChunk = 16
	spent := int64(c.digits + c.extension + len("\r\n\r\n"))
	c.overhead = max(0, c.overhead+spent-perChunk-min(2*c.left, maxOverhead))
	if c.overhead > maxOverhead {
		return errOverhead
	}
	return nil
}

func (c *chunks) stepTrailer(b byte) error {
	if c.section++; c.section > maxTrailerBytes {
		return errTrailers
	}
	switch b {
	case '\r':
		c.state = afterTrailerCR
	case '\n':
		return errChunkLine
	default:
		c.line = append(c.line, b)
	}
	return nil
}

// endTrailerLine leaves out fields with invalid values, and those that frame the
// message, which no trailer can change (RFC 9110 section 6.5.1).
func (c *chunks) endTrailerLine(b byte) error {
	c.section++
	if len(c.line) == 0 {
		return c.expect(b, '\n', atEnd, errChunkLine)
	}
	if err := c.expect(b, '\n', inTrailer, errChunkLine); err != nil {
		return err
	}
	name, value, ok := strings.Cut(string(c.line), ":")
	c.line = c.line[:0]
	if !ok || !field.ValidName(name) {
		return fmt.Errorf("%w: %.64q", errFieldLine, name)
	}
	if value = field.Trim(value); field.ValidValue(value) && !frames(name) {
		c.trailer = append(c.trailer, field.Field{Name: name, Value: value})
	}
	return nil
}
