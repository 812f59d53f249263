package sim

import (
	"sync/atomic"
	"time"
)

// Clock is a machine's idea of time. The zero Clock is right.
type Clock struct {
	wall      atomic.Int64 // nanoseconds that the time of day is ahead
	suspended atomic.Int64 // nanoseconds that the machine has slept
}

// Jump moves the time of day.
func (c *Clock) Jump(by time.Duration) { c.wall.Add(int64(by)) }

// Suspend makes the machine believe that it has slept.
func (c *Clock) Suspend(for_ time.Duration) { c.suspended.Add(int64(for_)) }

// Now returns the time of day.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.wall.Load())) }

// right tells whether the time of day was never changed.
func (c *Clock) right() bool { return c.wall.Load() == 0 }

// boot returns the time since an instant, sleep included.
func (c *Clock) boot(since time.Time) time.Duration {
	return time.Since(since) + time.Duration(c.suspended.Load())
}
