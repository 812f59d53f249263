package origin

import (
	"sync"
	"time"
)

// watchdog ends an exchange for which the origin keeps its part waiting, and an
// idle connection after its time. Only one thing is expected of the origin at a
// time; while the client is the one who is waited for, nothing is.
//
// The timer is left running when an expectation is met and looks again when it
// fires, so that reading a body costs two uncontended locks a read and no
// timer operation.
type watchdog struct {
	bite func() // called once, outside the lock, when an expectation was not met

	mu struct {
		sync.Mutex
		timer    *time.Timer // nil until first needed
		running  bool        // the timer will fire, or has fired and fired waits for the lock
		firesAt  time.Time   // when running
		deadline time.Time   // of what is expected; zero when nothing is
		kind     Kind        // what it is if it does not come
		bitten   Kind        // 0: not bitten
		stopped  bool
	}
}

// expect gives the origin until d from now, or else the exchange ends by kind.
// It returns false where it ended already.
func (w *watchdog) expect(kind Kind, d time.Duration) bool {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.stopped {
		return false
	}
	w.mu.kind, w.mu.deadline = kind, now.Add(d)
	switch {
	case !w.mu.running:
		w.startLocked(d)
	case w.mu.firesAt.After(w.mu.deadline) && w.mu.timer.Stop():
		w.startLocked(d)
	}
	return true
}

func (w *watchdog) startLocked(d time.Duration) {
	w.mu.running, w.mu.firesAt = true, time.Now().Add(d)
	if w.mu.timer == nil {
		w.mu.timer = time.AfterFunc(d, w.fired)
		return
	}
	w.mu.timer.Reset(d)
}

// rest expects nothing from now on.
func (w *watchdog) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.deadline = time.Time{}
}

func (w *watchdog) fired() {
	w.mu.Lock()
	w.mu.running = false
	if w.mu.stopped || w.mu.deadline.IsZero() {
		w.mu.Unlock()
		return
	}
	if left := time.Until(w.mu.deadline); left > 0 {
		w.startLocked(left)
		w.mu.Unlock()
		return
	}
	w.mu.bitten, w.mu.stopped = w.mu.kind, true
	w.mu.Unlock()
	w.bite()
}

// bitten returns what was not met, 0 if everything was.
func (w *watchdog) bitten() Kind {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.bitten
}

// stop ends the watch. The bite does not happen after it, or has begun.
func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.stopped = true
	if w.mu.timer != nil {
		w.mu.timer.Stop()
	}
}
