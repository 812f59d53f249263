package server

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

var aLongTimeAgo = time.Unix(1, 0)

// errDesync is what net/http gets when it reads on where, by our count, a
// request has ended, or begins another where one has not. Reading on would be
// the request smuggling that this package is there to stop.
var errDesync = errors.New("server: read past the end of a request")

// http2Preface begins an HTTP/2 connection (RFC 9113 section 3.4).
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// awaitHead returns once the connection is in a phase in which there is
// something to pass on, or a whole head is in p: then it returns its size.
func (c *conn) awaitHead(p []byte) (int, error) {
	if !c.ahead {
		n, err := c.awaitRequest(p)
		if n > 0 || err != nil || c.phase != awaiting {
			return n, err
		}
	}
	for {
		size, reason := c.examine()
		switch {
		case reason != "":
			return 0, c.refuse(reason)
		case c.phase == raw, c.phase == relayed:
			return 0, nil
		case size > 0:
			c.start(size)
			return 0, nil
		}
		if err := c.readMore(); err != nil {
			return 0, err
		}
		if !c.held {
			continue
		}
		// The head may have come in one piece, and been cut when net/http
		// interrupted watch.
		if n, err := c.nextRequest(p); n > 0 || err != nil || c.phase != awaiting || c.in.len() == 0 {
			return n, err
		}
	}
}

// readMore reads on in a head that has begun. Most heads arrive in one piece
// and never get here.
func (c *conn) readMore() error {
	if c.headBy.IsZero() {
		c.SetReadDeadline(time.Time{}) // that of idle connections has been met
		c.headBy = time.Now().Add(c.limits().ReadHeaderTimeout)
	}
	c.limitRead(c.headBy)
	n, err := c.in.fill(heeding{c}, c.limits().MaxHeaderBytes)
	expired := c.unlimitRead(err)
	switch {
	case n > 0:
		return nil
	case expired && c.in.len() > 0:
		return c.refuse(event.RefusedHeadTimeout)
	}
	// The client left, or sent nothing but an empty line. io.EOF is the one
	// error that net/http never answers by itself.
	return c.die(io.EOF)
}

// examine looks at the head in the buffer: it returns its size once it is
// there, or why it is refused. Both are zero where more is needed. A connection
// that turns out to be HTTP/2 becomes raw.
func (c *conn) examine() (size int, reason event.RefusedReason) {
	c.skipEmptyLine()
	b := c.in.bytes()
	if c.mayBeHTTP2 && !c.skipped && c.isHTTP2(b) {
		return 0, ""
	}
	if len(b) == 0 || len(b) == 1 && b[0] == '\r' && !c.skipped {
		return 0, ""
	}
	if c.head.limits == nil {
		c.head = newHead(c.server.limits.Load())
	}
	return c.head.advance(b)
}

// isHTTP2 tells whether what was received is the HTTP/2 preface or may become it.
func (c *conn) isHTTP2(b []byte) bool {
	if len(b) >= len(http2Preface) {
		if !bytes.HasPrefix(b, []byte(http2Preface)) {
			return false
		}
		c.mayBeHTTP2 = false
		if c.phase = raw; c.server.inner != nil {
			c.phase = relayed
			return true
		}
		c.server.links.setHTTP2(c.link)
		return true
	}
	return bytes.HasPrefix([]byte(http2Preface), b)
}

// skipEmptyLine drops one empty line before a request line, which old clients
// send after a body (RFC 9112 section 2.2). net/http never sees it.
func (c *conn) skipEmptyLine() {
	b := c.in.bytes()
	if c.skipped || len(b) < 2 || b[0] != '\r' || b[1] != '\n' {
		return
	}
	if c.ahead {
		return // it is not the beginning: net/http has the byte already
	}
	c.in.discard(2)
	c.skipped = true
}

// limits returns those that the current head is held to: a change in the middle
// of one must not move its bounds.
func (c *conn) limits() *Limits {
	if c.head.limits != nil {
		return c.head.limits
	}
	return c.server.limits.Load()
}

// watch waits, while a handler answers, for the client to leave; net/http then
// cancels the request. When the answer is there, net/http interrupts it.
//
// A client that is quick sends its next request before that: this is kept until
// net/http asks for it. Only if the request was there before, as in a pipeline,
// or grows beyond heldSize, or the client sends no more, does net/http get a
// byte of it, the first, unchecked, and stops watching. It does nothing with a
// request before it has four bytes, and the others come from awaitHead, which
// also checks this one. A head could be read and judged here as well, but a bad
// one would have to be refused in the middle of an answer.
func (c *conn) watch(p []byte) (int, error) {
	if c.ahead {
		return 0, c.die(errDesync)
	}
	if c.holdsRequest() {
		return c.goAhead(p), nil
	}
	for {
		err := c.hold(p)
		switch {
		case err == nil:
		case isTimeout(err) || !c.holdsRequest():
			return 0, err
		default:
			return c.goAhead(p), nil
		}
	}
}

// heldSize is how much of the next request is kept while one is answered.
const heldSize = pooledSize

// hold waits for more of the next request, without a buffer of ours until there
// is something to keep.
func (c *conn) hold(p []byte) error {
	if c.in.len() > 0 {
		n, err := c.in.fill(heeding{c}, heldSize)
		if n > 0 {
			return nil
		}
		return err
	}
	n, err := c.read(p[:1])
	if n == 0 {
		return err
	}
	c.in.append(p[:1])
	c.held = true
	return nil
}

// holdsRequest tells whether the buffer has more than what may be the empty
// line before a request.
func (c *conn) holdsRequest() bool {
	c.skipEmptyLine()
	b := c.in.bytes()
	return len(b) > 1 || len(b) == 1 && (b[0] != '\r' || c.skipped)
}

// goAhead passes on the first byte of the next request.
func (c *conn) goAhead(p []byte) int {
	c.ahead, c.held = true, false
	p[0] = c.in.bytes()[0]
	return 1
}
