package server

import (
	"errors"
	"os"
	"sync"
	"time"
)

// deadlines are those of reading a connection. net/http and handlers set the
// outer one, the wrapper its own for the one Read in which it waits for more of
// a head or a body; the earlier counts. Kept apart, neither can lift the other:
// net/http interrupts a Read by an outer deadline in the past.
//
// net/http sets six deadlines for each request, most of which pass while
// nothing is read, and each would cost a change of a timer. So the connection
// is told only when a Read is to wait, and only of a deadline earlier than the
// one it knows. One that it has kept from before is then too early: the Read
// finds that out when it passes, and waits on.
//
// Invariant: while a Read waits, armed is not later than due, or has passed.
type deadlines struct {
	sync.Mutex
	outer, own time.Time
	armed      time.Time // what the connection was told; zero for none
	passed     bool      // armed has made a Read fail
	reads      int       // how many wait: at most one, except on a raw connection
}

// dueLocked returns the deadline that counts, zero for none.
func (d *deadlines) dueLocked() time.Time {
	if isEarlier(d.own, d.outer) {
		return d.own
	}
	return d.outer
}

// isEarlier compares deadlines, of which a zero one never comes.
func isEarlier(a, b time.Time) bool {
	return !a.IsZero() && (b.IsZero() || a.Before(b))
}

// SetReadDeadline sets the outer deadline.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.reading.outer = t
	if c.reading.reads == 0 {
		return nil
	}
	return c.armLocked()
}

// SetDeadline sets the outer deadline and that of writing.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// limitRead sets the wrapper's own deadline, for the Reads that follow.
func (c *conn) limitRead(t time.Time) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.reading.own = t
}

// unlimitRead lifts the wrapper's own deadline and tells whether it was what
// made a Read fail with err.
func (c *conn) unlimitRead(err error) (expired bool) {
	c.reading.Lock()
	defer c.reading.Unlock()
	expired = isTimeout(err) && !c.reading.own.After(time.Now())
	c.reading.own = time.Time{}
	return expired
}

// armLocked tells the connection of the deadline that counts, where that is
// needed.
func (c *conn) armLocked() error {
	d := &c.reading
	due := d.dueLocked()
	if !d.passed && !isEarlier(due, d.armed) {
		return nil
	}
	d.armed, d.passed = due, false
	return c.Conn.SetReadDeadline(due)
}

// read reads from the connection once, or until a deadline.
func (c *conn) read(p []byte) (int, error) {
	c.beginRead()
	defer c.endRead()
	for {
		n, err := c.Conn.Read(p)
		if n > 0 || err == nil || !c.tooEarly(err) {
			return n, err
		}
	}
}

// beginRead puts the deadlines in force until endRead.
func (c *conn) beginRead() {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.reading.reads++
	c.armLocked()
}

func (c *conn) endRead() {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.reading.reads--
}

// tooEarly tells whether err comes of a deadline that did not count any more.
// The one that does is then in force.
func (c *conn) tooEarly(err error) bool {
	if !isTimeout(err) {
		return false
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	c.reading.passed = true
	due := c.reading.dueLocked()
	if !due.IsZero() && !due.After(time.Now()) {
		return false
	}
	return c.armLocked() == nil
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// heeding is a wrapped connection as a reader of what lies below the wrapper.
type heeding struct{ c *conn }

func (h heeding) Read(p []byte) (int, error) { return h.c.read(p) }
