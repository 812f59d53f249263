package server

import (
	"os"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// readSize bounds one read of a chunked body, because what lies behind the end
// of the body has to be kept.
const readSize = 32 << 10

// readCounted passes on a body under Content-Length and nothing behind it.
func (c *conn) readCounted(p []byte) (n int, err error) {
	if int64(len(p)) > c.bodyLeft {
		p = p[:c.bodyLeft]
	}
	if c.in.len() > 0 {
		n = copy(p, c.in.bytes())
		c.in.discard(n)
	} else {
		n, err = c.readBody(p)
	}
	if c.bodyLeft -= int64(n); c.bodyLeft == 0 {
		c.phase = awaiting
	}
	return n, err
}

// readChunked passes on a chunked body, framing included, and nothing behind
// it. Each byte is checked before it is passed on.
func (c *conn) readChunked(p []byte) (int, error) {
	if len(p) > readSize {
		p = p[:readSize]
	}
	var n int
	if c.in.len() > 0 {
		n = copy(p, c.in.bytes())
		c.in.discard(n)
	} else {
		var err error
		if n, err = c.readBody(p); n == 0 {
			return 0, err
		}
	}
	passed, done, reason := c.chunks.advance(p[:n])
	switch {
	case reason != "" && passed == 0:
		return 0, c.breach(reason, ErrFraming)
	case reason != "":
		c.breach(reason, ErrFraming) // the next Read returns it
		return passed, nil
	case done:
		c.phase = awaiting
		c.in.unread(p[passed:n])
	}
	return passed, nil
}

// readBody reads from the client for as long as it may be silent in a body.
// Without that bound a client could hold a handler for ever: net/http itself
// reads what a handler has left of a body, before it lets it write.
func (c *conn) readBody(p []byte) (int, error) {
	c.limitRead(time.Now().Add(c.server.limits.Load().BodyTimeout))
	n, err := c.read(p)
	if expired := c.unlimitRead(err); expired && n == 0 {
		return 0, c.breach(event.RefusedBodyTimeout, os.ErrDeadlineExceeded)
	}
	return n, err
}
