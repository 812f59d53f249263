package fetch

import (
	"context"
	"sync"
	"time"
)

// life is the context of a flight. It ends when the flight is over, or is given
// up; then Err is context.Canceled, and why tells which.
//
// A context of package context would do, and costs eight allocations where this
// one is part of the flight: one for itself, and the others when the fetcher's
// end and the origin's connection are tied to it.
type life struct {
	mu struct {
		sync.Mutex
		ended bool
		why   error
		done  chan struct{} // nil until it is asked for
		first call          // usually the only one
		more  []*call
	}
}

// call is what is to be called at the end.
type call struct {
	of *life // nil: unused
	f  func()
}

// end ends a life, once, for a reason.
func (l *life) end(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.ended {
		return
	}
	l.mu.ended, l.mu.why = true, why
	if l.mu.done != nil {
		close(l.mu.done)
	}
	l.mu.first.runLocked()
	for _, c := range l.mu.more {
		c.runLocked()
	}
}

func (c *call) runLocked() {
	if c.f != nil {
		go c.f()
		c.f = nil
	}
}

// why returns for what reason the life ended: nil while it lasts, and where it
// simply ended.
func (l *life) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.why
}

// Deadline implements context.Context: there is none.
func (l *life) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value implements context.Context: there are none.
func (l *life) Value(any) any { return nil }

// Done implements context.Context.
func (l *life) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.done == nil {
		l.mu.done = make(chan struct{})
		if l.mu.ended {
			close(l.mu.done)
		}
	}
	return l.mu.done
}

// Err implements context.Context.
func (l *life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.ended {
		return context.Canceled
	}
	return nil
}

// AfterFunc is what context.AfterFunc looks for: f is called in a goroutine of
// its own once the life has ended, unless stop is called before and returns true.
func (l *life) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.mu.first
	if c.of != nil {
		c = new(call)
		l.mu.more = append(l.mu.more, c)
	}
	*c = call{l, f}
	if l.mu.ended {
		c.runLocked()
	}
	return c.stop
}

func (c *call) stop() bool {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	stopped := c.f != nil
	c.f = nil
	return stopped
}
