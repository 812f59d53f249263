package server

import (
	"io"
	"time"
)

// scratchSize is how large a caller's buffer must be to wait for a request in
// it. net/http's is 4 KiB, except when it looks for the HTTP/2 preface.
const scratchSize = 512

// awaitRequest waits for a request to begin, and answers those on the way that
// the FastHandler takes. It returns how much of p it has filled with a request
// that net/http is to have as it is; where that is nothing, what has arrived is
// in c.in. Something may be there before, but nothing that net/http has seen.
//
// It waits in the caller's buffer or in none, so that an idle connection holds
// none of ours. net/http has set the deadline.
func (c *conn) awaitRequest(p []byte) (int, error) {
	c.beginRead()
	defer c.endRead()
	for c.activity.Load() != retired {
		n, err := c.nextRequest(p)
		if n > 0 || c.in.len() > 0 || c.phase != awaiting {
			return n, err
		}
		if err != nil && !c.mayWaitOn(err) {
			return 0, err
		}
	}
	return 0, io.EOF
}

// nextRequest takes what is there, or the next that arrives.
func (c *conn) nextRequest(p []byte) (int, error) {
	b := c.in.bytes()
	if len(b) == 0 {
		if c.direct == nil && !c.indirect && c.link.ahead.len() == 0 {
			c.direct = newDirect(c)
			c.indirect = c.direct == nil
		}
		if c.direct != nil {
			return c.direct.serve(p)
		}
		var err error
		if b, err = c.receive(p); len(b) == 0 {
			return 0, err
		}
	}
	call := c.server.takeCall()
	n, err := c.take(call, b, p)
	c.server.giveCall(call)
	return n, err
}

// take judges what has arrived, which begins a request, and has it answered or
// passed on where that can be decided at once: then it returns how much of p it
// has filled. Where it cannot, all of it is in c.in; where the FastHandler has
// answered or the PlainHandler is to, nothing is.
func (c *conn) take(call *fastCall, b, p []byte) (int, error) {
	if err := c.wake(); err != nil {
		return 0, c.die(err)
	}
	switch c.meet(call, b) {
	case fastAnswered:
		c.settle()
		c.doze()
	case fastPlanned: // c.plan has settled it
	case fastEnded:
		return 0, c.die(io.EOF)
	case fastStrict:
		return c.pass(b, p), nil
	default:
		if c.in.len() == 0 {
			c.in.append(b)
		}
	}
	return 0, nil
}

// settle forgets the head of a request that net/http does not get.
func (c *conn) settle() {
	c.in.release()
	c.mayBeHTTP2, c.skipped, c.held = false, false, false
	c.head = head{}
	if !c.headBy.IsZero() {
		// readMore has lifted the deadline that net/http had set.
		c.headBy = time.Time{}
		c.SetReadDeadline(time.Now().Add(c.server.cfg.Limits.IdleTimeout))
	}
}

// receive reads what the client sends, into p or, where that is too small, into
// c.in.
func (c *conn) receive(p []byte) ([]byte, error) {
	if len(p) >= scratchSize {
		n, err := c.Conn.Read(p[:min(len(p), pooledSize)])
		return p[:n], err
	}
	_, err := c.in.fill(c.Conn, pooledSize)
	return c.in.bytes(), err
}

// pass begins a request whose head, which is strict and without a body, is b. It
// returns the size of b where it has passed all of it on in p.
func (c *conn) pass(b, p []byte) int {
	if c.in.len() == 0 && len(b) <= len(p) {
		copy(p, b) // where it may be already
		c.begin()
		return len(b)
	}
	if c.in.len() == 0 {
		c.in.append(b)
	}
	c.start(len(b))
	return 0
}

// mayWaitOn tells whether to wait for a request on, after a Read that failed.
// net/http has set the deadline before the requests that have been answered
// here; it then counts from the last of them.
func (c *conn) mayWaitOn(err error) bool {
	if !isTimeout(err) {
		return false
	}
	if c.tooEarly(err) {
		return true
	}
	until := c.answered + c.server.cfg.Limits.IdleTimeout
	if c.answered == 0 || until <= c.server.uptime() {
		return false
	}
	// A drain that retires the connection at this moment either sets its own
	// deadline after this or is seen before the next Read.
	c.SetReadDeadline(c.server.made.Add(until))
	return true
}

// uptime is the time since the Server was made: a clock that is cheaper to read
// than time.Now, and never 0.
func (s *Server) uptime() time.Duration { return time.Since(s.made) }
