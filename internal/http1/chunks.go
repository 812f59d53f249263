package http1

import (
	"math"

	"github.com/rescind-edge/rescind/internal/field"
)

// maxSizeDigits is all that 64 bits hold; zeros in front serve nobody but who
// wants to hide a size.
const maxSizeDigits = 16

// ChunkRules are what whoever reads a chunked body puts up with. All sizes are
// in bytes.
type ChunkRules struct {
	// Extension bounds what stands behind the size on one line, and Extensions
	// that of all lines together; 0: it is bounded by Overhead alone.
	Extension, Extensions int
	// Overhead bounds how much a body may consist of other things than data,
	// beyond what its chunks earn (see Chunks.spent); 0: it is not counted.
	Overhead int64
	// Trailer bounds the trailer section, line ends included.
	Trailer int
	// Padding admits blanks, without an extension, behind a size.
	Padding bool
	// KeepTrailers collects the trailer fields, and leaves out those that
	// cannot be, which otherwise are faults: an invalid value, and what
	// MayTrail does not admit.
	KeepTrailers bool
}

// Chunks follows a chunked body (RFC 9112 section 7.1): it finds the data in it
// and its end, and refuses whatever has more than one reading. Its verdict does
// not depend on how the body is cut into pieces. The zero value is at the
// beginning of a body; it does no I/O, and allocates for trailers only.
type Chunks struct {
	state      chunkState
	digits     int    // of the size being read
	extension  int    // bytes behind the size on this line
	extensions int    // and on all lines
	size       uint64 // being read
	left       int64  // of the data of the chunk
	overhead   int64  // beyond what was earned
	section    int    // bytes of the trailer section
	line       []byte // of it
	trailer    field.Fields
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

// Done tells whether the body is at its end.
func (c *Chunks) Done() bool { return c.state == atEnd }

// Data returns how many bytes of data come next; 0 where something else does.
func (c *Chunks) Data() int64 {
	if c.state == inData {
		return c.left
	}
	return 0
}

// Took is told of n bytes of the data, at most Data().
func (c *Chunks) Took(n int) {
	if c.left -= int64(n); c.left == 0 {
		c.state = afterData
	}
}

// Line returns the line of the trailer section that is being read, without its
// end; with a fault of a field, the one that is wrong.
func (c *Chunks) Line() []byte { return c.line }

// Trailer returns the trailer fields in their order, once the body is at its end
// and where the rules keep them.
func (c *Chunks) Trailer() field.Fields { return c.trailer }

// Skip passes what stands between data and returns how many bytes of b that
// was. It stops at data, at the end, where b ends, and, with a fault, before the
// byte that is wrong: then there is no going on. The rules are the same for all
// of a body.
func (c *Chunks) Skip(b []byte, r *ChunkRules) (n int, fault Fault) {
	n = c.skim(b)
	for n < len(b) && c.state != inData && c.state != atEnd {
		if fault := c.step(b[n], r); fault != NoFault {
			return n, fault
		}
		n++
	}
	return n, NoFault
}

// skim passes what nearly always stands between data, the end of a chunk and a
// size alone on its line, as far as the CR. It passes nothing where anything is
// otherwise, or not all of it is there: that is for step, byte by byte.
func (c *Chunks) skim(b []byte) int {
	at := 0
	switch {
	case c.state == afterData && len(b) > 2 && b[0] == '\r' && b[1] == '\n':
		at = len("\r\n")
	case c.state == inSize && c.digits == 0:
	default:
		return 0
	}
	const usual = 8 // digits: 4 GiB
	size, digits := uint64(0), 0
	for at < len(b) && digits <= usual {
		d := field.Unhex(b[at])
		if d < 0 {
			break
		}
		size = size<<4 | uint64(d)
		digits++
		at++
	}
	if digits == 0 || digits > usual || at == len(b) || b[at] != '\r' {
		return 0
	}
	c.state, c.digits, c.size, c.extension = afterSizeCR, digits, size, 0
	return at + 1
}

func (c *Chunks) step(b byte, r *ChunkRules) Fault {
	switch c.state {
	case inSize:
		return c.stepSize(b, r)
	case inPadding:
		return c.stepPadding(b, r)
	case inExtension:
		return c.stepExtension(b, r)
	case afterSizeCR:
		return c.endSizeLine(b, r)
	case afterData:
		return c.expect(b, '\r', afterDataCR, ChunkEnd)
	case afterDataCR:
		c.digits, c.size, c.extension = 0, 0, 0
		return c.expect(b, '\n', inSize, ChunkEnd)
	case inTrailer:
		return c.stepTrailer(b, r)
	default: // afterTrailerCR
		return c.endTrailerLine(b, r)
	}
}

func (c *Chunks) expect(b, want byte, next chunkState, otherwise Fault) Fault {
	if b != want {
		return otherwise
	}
	c.state = next
	return NoFault
}

func (c *Chunks) stepSize(b byte, r *ChunkRules) Fault {
	if d := field.Unhex(b); d >= 0 {
		if c.digits++; c.digits > maxSizeDigits {
			return ChunkSize
		}
		c.size = c.size<<4 | uint64(d)
		return NoFault
	}
	switch {
	case c.digits == 0 || c.size > math.MaxInt64:
		return ChunkSize
	case b == '\r':
		c.state = afterSizeCR
	case b == ';':
		c.state = inExtension
		return c.stepExtension(b, r)
	case isBlank(b) && r.Padding:
		c.state = inPadding
		return c.stepPadding(b, r)
	case b == '\n':
		return BareLF
	default:
		return ChunkSize
	}
	return NoFault
}

// stepPadding passes blanks up to the end of the line. An extension behind them
// is refused, as net/http does: nobody sends one.
func (c *Chunks) stepPadding(b byte, r *ChunkRules) Fault {
	switch b {
	case '\r', '\n', ' ', '\t':
		return c.stepExtension(b, r)
	}
	return ChunkSize
}

func (c *Chunks) stepExtension(b byte, r *ChunkRules) Fault {
	switch {
	case b == '\r':
		c.state = afterSizeCR
		return NoFault
	case b == '\n':
		return BareLF
	case b < ' ' && b != '\t', b == 0x7f:
		return ChunkExtension
	}
	c.extension++
	c.extensions++
	if c.extension > r.Extension || r.Extensions > 0 && c.extensions > r.Extensions {
		return ExtensionTooLarge
	}
	return NoFault
}

func (c *Chunks) endSizeLine(b byte, r *ChunkRules) Fault {
	if c.left = int64(c.size); c.spent(r) {
		return Overhead
	}
	if c.left == 0 {
		return c.expect(b, '\n', inTrailer, BareCR)
	}
	return c.expect(b, '\n', inData, BareCR)
}

// spent counts what is no data against what is, and tells whether it is too
// much. Chunks of a few bytes are inefficient but happen, so each earns a little
// by itself.
func (c *Chunks) spent(r *ChunkRules) bool {
	if r.Overhead == 0 {
		return false
	}
	const perChunk = 16
	spent := int64(c.digits + c.extension + len("\r\n\r\n"))
	c.overhead = max(0, c.overhead+spent-perChunk-2*min(c.left, r.Overhead/2))
	return c.overhead > r.Overhead
}
