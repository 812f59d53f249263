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
type deadlines struct {
	sync.Mutex
	outer, own time.Time
}

// SetReadDeadline sets the outer deadline.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.reading.outer = t
	return c.applyLocked()
}

// SetDeadline sets the outer deadline and that of writing.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// limitRead sets the wrapper's own deadline.
func (c *conn) limitRead(t time.Time) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.reading.own = t
	c.applyLocked()
}

// unlimitRead lifts the wrapper's own deadline and tells whether it was what
// made a Read fail with err. The connection is told with the next outer
// deadline, which net/http sets before whatever it does next.
func (c *conn) unlimitRead(err error) (expired bool) {
	c.reading.Lock()
	defer c.reading.Unlock()
	expired = errors.Is(err, os.ErrDeadlineExceeded) && !c.reading.own.After(time.Now())
	c.reading.own = time.Time{}
	return expired
}

func (c *conn) applyLocked() error {
	t := c.reading.outer
	if own := c.reading.own; t.IsZero() || !own.IsZero() && own.Before(t) {
		t = own
	}
	return c.Conn.SetReadDeadline(t)
}
