package server

import (
	"math"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

const (
	// A size of 16 hexadecimal digits is all that 64 bits hold; zeros in front
	// of it serve nobody but who wants to hide one.
	maxSizeDigits = 16
	// Extensions are dropped unread, so they are pure cost. The ones in use are
	// signatures of less than 100 bytes. net/http gives up on a line at 4 KiB
	// and on a body when all together exceed 16 KiB.
	maxLineExtension = 256
	maxBodyExtension = 16 << 10
	// Trailers are checksums and the like. net/http gives up at 4 KiB, without
	// an event.
	maxTrailerBytes = 2 << 10
)

// chunks follows a chunked body (RFC 9112 section 7.1) byte by byte, to find
// its end and whatever is not as it must be.
type chunks struct {
	state      chunkState
	digits     int    // of the size being read
	size       uint64 // being read
	left       uint64 // of the data of the chunk
	extension  int    // bytes of the extension on this line
	extensions int    // and of all before
	trailer    int    // bytes of the trailer section
	line       []byte // of the trailer section
}

type chunkState uint8

const (
	inSize chunkState = iota
	inExtension
	afterSizeCR
	inData
	afterData
	afterDataCR
	inTrailer
	afterTrailerCR
	atEnd
)

// advance looks at the next bytes of the body. n of them belong to it and are
// as they must be. done tells that the body ends there; a reason tells that the
// byte behind them is wrong.
func (c *chunks) advance(b []byte) (n int, done bool, reason event.RefusedReason) {
	for n < len(b) && c.state != atEnd {
		if c.state == inData {
			taken := min(uint64(len(b)-n), c.left)
			n += int(taken)
			if c.left -= taken; c.left == 0 {
				c.state = afterData
			}
			continue
		}
		if reason := c.step(b[n]); reason != "" {
			return n, false, reason
		}
		n++
	}
	return n, c.state == atEnd, ""
}

// step takes a byte that is not chunk data.
func (c *chunks) step(b byte) event.RefusedReason {
	switch c.state {
	case inSize:
		return c.stepSize(b)
	case inExtension:
		return c.stepExtension(b)
	case afterSizeCR:
		return c.endSizeLine(b)
	case afterData:
		return c.expect(b, '\r', afterDataCR, event.RefusedChunkEnd)
	case afterDataCR:
		c.digits, c.size = 0, 0
		return c.expect(b, '\n', inSize, event.RefusedChunkEnd)
	case inTrailer:
		return c.stepTrailer(b)
	default: // afterTrailerCR
		return c.endTrailerLine(b)
	}
}

func (c *chunks) expect(b, want byte, next chunkState, otherwise event.RefusedReason) event.RefusedReason {
	if b != want {
		return otherwise
	}
	c.state = next
	return ""
}

func (c *chunks) stepSize(b byte) event.RefusedReason {
	if d := field.Unhex(b); d >= 0 {
		if c.digits++; c.digits > maxSizeDigits {
			return event.RefusedChunkSize
		}
		c.size = c.size<<4 | uint64(d)
		return ""
	}
	switch {
	case c.digits == 0 || c.size > math.MaxInt64:
		return event.RefusedChunkSize
	case b == '\r':
		c.state = afterSizeCR
	case b == ';':
		c.state, c.extension = inExtension, 0
		return c.stepExtension(b)
	case b == '\n':
		return event.RefusedBareLF
	default:
		return event.RefusedChunkSize
	}
	return ""
}

func (c *chunks) stepExtension(b byte) event.RefusedReason {
	switch {
	case b == '\r':
		c.state = afterSizeCR
		return ""
	case b == '\n':
		return event.RefusedBareLF
	case b < ' ' && b != '\t' || b == 0x7f:
		return event.RefusedChunkExtension
	}
	c.extension++
	c.extensions++
	if c.extension > maxLineExtension || c.extensions > maxBodyExtension {
		return event.RefusedExtensionsSize
	}
	return ""
}

func (c *chunks) endSizeLine(b byte) event.RefusedReason {
	next := inData
	if c.left = c.size; c.left == 0 {
		next = inTrailer
	}
	return c.expect(b, '\n', next, event.RefusedBareCR)
}

func (c *chunks) stepTrailer(b byte) event.RefusedReason {
	if c.trailer++; c.trailer > maxTrailerBytes {
		return event.RefusedTrailerTooLarge
	}
	switch b {
	case '\r':
		c.state = afterTrailerCR
	case '\n':
		return event.RefusedBareLF
	default:
		c.line = append(c.line, b)
	}
	return ""
}

func (c *chunks) endTrailerLine(b byte) event.RefusedReason {
	if c.trailer++; c.trailer > maxTrailerBytes {
		return event.RefusedTrailerTooLarge
	}
	next := inTrailer
	if len(c.line) == 0 {
		next = atEnd
	}
	if reason := c.expect(b, '\n', next, event.RefusedBareCR); reason != "" || next == atEnd {
		return reason
	}
	name, _, reason := cutField(c.line)
	if reason == "" && frames(string(name)) {
		reason = event.RefusedTrailer
	}
	c.line = c.line[:0]
	return reason
}
