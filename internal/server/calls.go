package server

import (
	"errors"
	"sync/atomic"
	"time"
)

// ErrStillRunning is returned by Close when a handler has not returned some
// seconds after its connection was cut.
var ErrStillRunning = errors.New("server: a handler is still running")

// calls counts the calls out of this package that are running, so that Close
// can promise that there are none after it. A sync.WaitGroup would not do: calls
// still begin while Close waits, and are turned away.
type calls struct {
	running atomic.Int64
	closed  atomic.Bool
	none    chan struct{}
}

func newCalls() *calls { return &calls{none: make(chan struct{}, 1)} }

// enter announces a call. Where it returns false there must be none.
func (c *calls) enter() bool {
	c.running.Add(1)
	if c.closed.Load() {
		c.exit()
		return false
	}
	return true
}

func (c *calls) exit() {
	if c.running.Add(-1) == 0 && c.closed.Load() {
		select {
		case c.none <- struct{}{}:
		default:
		}
	}
}

func (c *calls) close() { c.closed.Store(true) }

// wait waits, after close, until no call is running.
func (c *calls) wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for c.running.Load() > 0 {
		select {
		case <-c.none:
		case <-timer.C:
			return ErrStillRunning
		}
	}
	return nil
}
