package origin

import (
	"crypto/tls"
	"net"
	"time"
)

// conn is an HTTP/1 connection to an origin. It belongs to one exchange at a
// time, or to the idle ones of its backend.
//
// Its watchdog outlives the exchanges, so that its timer is seldom touched: the
// deadline of a head is later than the one of an idle connection before it, and
// that is looked at when the timer fires.
type conn struct {
	backend  *backend
	net.Conn              // to read and to write: the one below, or TLS on it
	below    *trackedConn // closing it ends reads and writes at once
	secure   *tls.Conn    // nil without TLS
	socket   *socket      // nil where there is none to look at
	cutting  func()       // cut; made once
	watch    watchdog     // of the exchange, or of idleness
	served   bool         // there was an exchange before
	keeps    keepsFor     // by the last response
	in       inlet        // of the exchange
	probe    [1]byte      // see quiet
}

func newConn(b *backend, below *trackedConn, secure *tls.Conn) *conn {
	c := &conn{backend: b, Conn: below, below: below, secure: secure, socket: newSocket(below.Conn)}
	if secure != nil {
		c.Conn = secure
	}
	c.cutting = c.cut
	c.watch.bite = c.bitten
	return c
}

// cut makes reads and writes in progress fail, and all after it.
func (c *conn) cut() { c.below.Close() }

// close closes a connection that is not in use. Over TLS it says so.
func (c *conn) close() {
	c.watch.stop()
	c.Conn.Close()
}

// bitten ends the connection when it stood still for too long, in an exchange
// or between two.
func (c *conn) bitten() {
	if c.backend.idle.remove(c) {
		c.Conn.Close()
		return
	}
	c.cut()
}

// buffers tells whether n bytes can be written without waiting for the other
// side to read: a fresh socket has buffers, anything else may have none.
func (c *conn) buffers(n int) bool { return c.socket != nil && n <= socketBuffer }

// socketBuffer is less than any system's buffers for sending.
const socketBuffer = 8 << 10

// quietWait is how long it is waited for data where a look does not tell: there
// are bytes of TLS, which may be tickets, or no socket.
const quietWait = time.Millisecond

// quiet tells whether an idle connection is as it was left: open, and without a
// byte that nobody asked for, which would be taken for the next response.
func (c *conn) quiet() bool {
	if c.socket == nil {
		return c.silent(time.Now().Add(quietWait))
	}
	switch state := c.socket.look(); {
	case state == socketEnded, state == socketSpoke && c.secure == nil:
		return false
	case state == socketSpoke:
		return c.silent(time.Now().Add(quietWait))
	}
	return c.secure == nil || c.silent(longAgo)
}

// longAgo is a deadline at which only that is read what TLS has in memory.
var longAgo = time.Unix(1, 0)

func (c *conn) silent(until time.Time) bool {
	if c.SetReadDeadline(until) != nil {
		return false
	}
	n, err := c.Read(c.probe[:])
	timeout, ok := err.(net.Error)
	return n == 0 && ok && timeout.Timeout() && c.SetReadDeadline(time.Time{}) == nil
}
