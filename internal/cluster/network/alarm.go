package network

import (
	"net"
	"sync"
	"time"
)

// Alarm wakes up somebody who waits. Its methods may be called by several
// goroutines, but Wait by one.
type Alarm interface {
	// Set has Wait return a time from now, in place of what was set before; never,
	// if the time is below 0. One that has rung already, and was not waited for,
	// is taken back.
	Set(in time.Duration)
	// Wait returns when the alarm rings. The error wraps net.ErrClosed.
	Wait() error
	Close() error
}

// timed is an alarm of the runtime's timers. The system's own are cheaper where
// it has some: for a timer the runtime wakes up its watchman too, and a further
// thread to look for more that is to be done.
type timed struct {
	*time.Timer
	once   sync.Once
	closed chan struct{}
}

// NewAlarm returns an alarm that is not set.
func NewAlarm() Alarm {
	t := &timed{Timer: time.NewTimer(time.Hour), closed: make(chan struct{})}
	t.Stop()
	return t
}

func (t *timed) Set(in time.Duration) {
	if in < 0 {
		t.Stop()
		return
	}
	t.Reset(in)
}

func (t *timed) Wait() error {
	select {
	case <-t.C:
		return nil
	case <-t.closed:
		return net.ErrClosed
	}
}

func (t *timed) Close() error {
	t.once.Do(func() {
		t.Stop()
		close(t.closed)
	})
	return nil
}
