package server

import (
	"errors"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

const (
	// copiedSize is how much of an answer on TLS is copied together, so that it
	// is encrypted together: what a record holds.
	copiedSize = 16 << 10
	// copiedInClear is up to where an answer in clear is copied together. A
	// vector costs about the same from 1 KiB to 16 KiB, and reads what it sends
	// once less.
	copiedInClear = 4 << 10
	// portionSize is how much content one write deadline covers.
	portionSize = 64 << 10
	// maxParts bounds the parts of one vector, the head among them: chunks of
	// stored content are seldom smaller than 4 KiB.
	maxParts = 17
)

var (
	errSentTwice = errors.New("server: a second answer to one request")
	errNotHTTP2  = errors.New("server: an answer for HTTP/2 on an HTTP/1 connection")
)

type copyBuffer = [copiedSize]byte

func newCopyPool() *sync.Pool {
	return &sync.Pool{New: func() any { return new(copyBuffer) }}
}

// Send implements FastWriter.
func (f *fastCall) Send(head []byte, content [][]byte) (sent int64, err error) {
	if f.sent {
		return 0, errSentTwice
	}
	f.sent = true
	f.conn.shard.request(1) // before the client can know of it
	size := 0
	for _, part := range content {
		size += len(part)
	}
	var n int64
	switch {
	case size == 0:
		n, err = f.write(head)
	case len(head)+size <= min(cap(head), copiedInClear):
		whole := head
		for _, part := range content {
			whole = append(whole, part...)
		}
		n, err = f.write(whole)
	case f.request.TLS != 0 || len(head)+size <= copiedInClear:
		n, err = f.sendCopied(head, cursor{rest: content})
	default:
		n, err = f.sendVectors(head, cursor{rest: content})
	}
	f.err = err
	return max(n-int64(len(head)), 0), err
}

// SendFields implements FastWriter. Nobody calls it on HTTP/1.
func (f *fastCall) SendFields(int, field.Fields, [][]byte) (int64, error) { return 0, errNotHTTP2 }

// sendCopied writes the head with as much of the content as one buffer holds,
// which is all of a small answer, and then the rest.
func (f *fastCall) sendCopied(head []byte, content cursor) (int64, error) {
	if len(head) > copiedSize {
		n, err := f.write(head)
		if err != nil {
			return n, err
		}
		m, err := f.writeAll(content)
		return n + m, err
	}
	pool := f.conn.server.copies
	buf := pool.Get().(*copyBuffer)
	filled := copy(buf[:], head)
	for filled < copiedSize {
		part := content.take(copiedSize - filled)
		if len(part) == 0 {
			break
		}
		filled += copy(buf[filled:], part)
	}
	n, err := f.write(buf[:filled])
	pool.Put(buf)
	if err != nil {
		return n, err
	}
	m, err := f.writeAll(content)
	return n + m, err
}

// writeAll writes content part by part.
func (f *fastCall) writeAll(content cursor) (total int64, err error) {
	for {
		part := content.take(portionSize)
		if len(part) == 0 {
			return total, nil
		}
		f.now = f.conn.server.uptime() // the write before this may have taken long
		n, err := f.write(part)
		if total += n; err != nil {
			return total, err
		}
	}
}

func (f *fastCall) write(b []byte) (int64, error) {
	sent := 0
	if f.direct {
		if sent = send(f.fd, b); sent == len(b) {
			return int64(sent), nil
		}
	}
	f.conn.limitWrite(f.now)
	n, err := f.conn.Conn.Write(b[sent:])
	return int64(sent + n), err
}

// sendVectors writes head and content from where they lie.
func (f *fastCall) sendVectors(head []byte, content cursor) (total int64, err error) {
	defer clear(f.parts[:]) // content must not be held by a pool
	parts := append(f.parts[:0], head)
	for {
		for left := portionSize; left > 0 && len(parts) < maxParts; {
			part := content.take(left)
			if len(part) == 0 {
				break
			}
			parts = append(parts, part)
			left -= len(part)
		}
		if len(parts) == 0 {
			return total, nil
		}
		f.conn.limitWrite(f.now)
		// What it is written to decides whether it is one system call, so that
		// must be the connection itself, not one with more methods around it.
		f.vector = parts
		n, err := f.vector.WriteTo(f.conn.link.Conn)
		if total += n; err != nil {
			return total, err
		}
		parts = f.parts[:0]
		f.now = f.conn.server.uptime()
	}
}

// cursor walks through the parts of a content, which it does not change.
type cursor struct {
	rest [][]byte
	at   int // in rest[0]
}

// take returns the next piece, of at most limit bytes; none at the end.
func (c *cursor) take(limit int) []byte {
	for len(c.rest) > 0 {
		part := c.rest[0][c.at:]
		if len(part) > limit {
			c.at += limit
			return part[:limit]
		}
		c.rest, c.at = c.rest[1:], 0
		if len(part) > 0 {
			return part
		}
	}
	return nil
}

// limitWrite sees to it that the next write has between one and two times
// WriteTimeout. So the timer changes once in that time, not with every answer.
func (c *conn) limitWrite(now time.Duration) {
	timeout := c.server.limits.Load().WriteTimeout
	if c.writeBy.Load() >= int64(now+timeout) {
		return
	}
	until := now + 2*timeout
	c.Conn.SetWriteDeadline(c.server.made.Add(until))
	c.writeBy.Store(int64(until))
}

// unlimitWrite lifts that deadline: whoever answers next sets its own, or none.
func (c *conn) unlimitWrite() {
	if c.writeBy.Load() != 0 {
		c.SetWriteDeadline(time.Time{})
	}
}

// SetWriteDeadline is for net/http and handlers.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writeBy.Store(0)
	return c.Conn.SetWriteDeadline(t)
}
