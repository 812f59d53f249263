package origin

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
)

// headConn watches an HTTP/1 connection to an origin for what net/http hides:
// the heads as they were received, and bytes that nobody asked for. It can
// also put a request target on the wire that net/http would change.
//
// The phase advances with the exchange:
//
//	unasked  no request is on its way; bytes that arrive answer none
//	asking   a request begins with the next Write
//	head     the response's heads are scanned
//	body     bytes pass by, until the next exchange
//
// An exchange whose head the scanner did not see got its response from bytes
// that were in net/http's buffer before: left over from an earlier one, they
// may be meant for anybody. It must fail (see exchange.receive).
type headConn struct {
	net.Conn

	mu struct {
		sync.Mutex
		phase   phase
		scan    scanner
		final   *finalHead // of the current exchange
		prefix  requestPrefix
		unasked bool  // bytes arrived that nobody asked for
		broken  error // what the network said when reading or writing failed
		closed  bool  // from this side; failures after it are its consequence
	}
}

type phase uint8

const (
	phaseUnasked phase = iota
	phaseAsking
	phaseHead
	phaseBody
)

// requestPrefix is how a request line begins whose target net/http has made
// absolute, although origin form was asked for.
type requestPrefix struct {
	method    string
	authority string // "http://host", to be taken off again; empty: nothing to do
}

var (
	errUnasked   = errors.New("the origin sent bytes before a request")
	errNoSuchCut = errors.New("the request line does not begin as expected")
)

func newHeadConn(c net.Conn, limit int) *headConn {
	h := &headConn{Conn: c}
	h.mu.scan.limit = limit
	return h
}

// finalHead is the head of one exchange's response, once it is there. It is the
// exchange's own: net/http gives a connection to the next as soon as it has read
// a response without content, be the one before awake to look at it or not.
type finalHead struct {
	head head
	here bool
}

// begin announces an exchange and returns where the head of its response will
// be. No request is in progress on the connection.
func (c *headConn) begin(p requestPrefix) *finalHead {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.phase = phaseAsking
	c.mu.prefix = p
	c.mu.scan.reset()
	c.mu.final = new(finalHead)
	return c.mu.final
}

// Write implements net.Conn.
func (c *headConn) Write(p []byte) (int, error) {
	prefix := c.beginWrite()
	var n int
	var err error
	if prefix.authority == "" {
		n, err = c.Conn.Write(p)
	} else {
		n, err = c.writeCut(p, prefix)
	}
	c.note(err)
	return n, err
}

func (c *headConn) beginWrite() requestPrefix {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.phase != phaseAsking {
		return requestPrefix{}
	}
	c.mu.phase = phaseHead
	return c.mu.prefix
}

// writeCut writes p without the authority. net/http buffers 4 KiB before it
// writes, which is more than a method and an authority take together.
func (c *headConn) writeCut(p []byte, prefix requestPrefix) (int, error) {
	from := len(prefix.method) + len(" ")
	if len(p) < from || !bytes.HasPrefix(p[from:], []byte(prefix.authority)) {
		return 0, errNoSuchCut
	}
	cut := append(bytes.Clone(p[:from]), p[from+len(prefix.authority):]...)
	if n, err := c.Conn.Write(cut); err != nil {
		return min(n, from), err
	}
	return len(p), nil
}

// Read implements net.Conn. net/http never gets to see the end of a head that
// the scanner refuses. It drops the error of a read inside a line, so every
// further Read repeats it.
func (c *headConn) Read(p []byte) (int, error) {
	if err := c.refused(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	c.note(err)
	if n == 0 {
		return n, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.mu.phase {
	case phaseUnasked, phaseAsking:
		// To net/http the connection was closed while it was idle, so that it
		// takes another for requests that may be repeated.
		c.mu.unasked = true
		return 0, io.EOF
	case phaseHead:
		c.mu.scan.feed(p[:n])
		if c.mu.scan.err != nil {
			return 0, c.mu.scan.err
		}
		if c.mu.scan.done {
			c.mu.phase = phaseBody
			*c.mu.final = finalHead{c.mu.scan.final, true}
		}
	}
	return n, err
}

func (c *headConn) refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.unasked {
		return io.EOF
	}
	return c.mu.scan.err
}

func (c *headConn) note(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.broken == nil && !c.mu.closed {
		c.mu.broken = err
	}
}

// Close implements net.Conn.
func (c *headConn) Close() error {
	c.mu.Lock()
	c.mu.closed = true
	c.mu.Unlock()
	return c.Conn.Close()
}

// final returns the head of the response of the exchange that f was begun for.
func (c *headConn) final(f *finalHead) (h head, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return f.head, f.here
}

// fault is what a connection knows of why an exchange failed.
type fault struct {
	scan    error // the scanner refused a head
	unasked bool
	broken  error // the network failed, or the peer closed
}

func (c *headConn) fault() fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fault{scan: c.mu.scan.err, unasked: c.mu.unasked, broken: c.mu.broken}
}
