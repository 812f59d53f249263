package server

import (
	"sync"
	"time"
)

// watchAfter is how long a request may take before anybody looks whether its
// client is still there: looking takes a goroutine, and most are done before.
const watchAfter = 10 * time.Millisecond

// plainWatch watches, while a PlainHandler answers, for the client to leave, and
// then ends the call's context. What the client sends meanwhile is the beginning
// of its next request, and is kept in the connection's buffer, which is the
// watch's while it runs.
type plainWatch struct {
	call  *plainCall
	timer *time.Timer   // of run
	ended chan struct{} // told when run has returned
	one   [1]byte

	mu       sync.Mutex
	stopping bool
}

func (w *plainWatch) begin() {
	w.stopping = false
	w.timer.Reset(watchAfter)
}

// end ends the watch. It returns once run has, or never will.
func (w *plainWatch) end() {
	if w.timer.Stop() {
		return // it has not begun
	}
	c := w.call.conn
	w.mu.Lock()
	w.stopping = true
	c.SetReadDeadline(aLongTimeAgo)
	w.mu.Unlock()
	<-w.ended
	c.SetReadDeadline(time.Now().Add(c.server.cfg.Limits.IdleTimeout))
}

func (w *plainWatch) run() {
	if w.unlimit() {
		w.look()
	}
	w.ended <- struct{}{}
}

// unlimit lifts the deadline that net/http set for the request to arrive. It
// returns false where the watch is over.
func (w *plainWatch) unlimit() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopping {
		return false
	}
	w.call.conn.SetReadDeadline(time.Time{})
	return true
}

func (w *plainWatch) isStopping() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopping
}

// look returns when the client has left, when it is told to, and when so much of
// the next request has arrived that no more is read.
func (w *plainWatch) look() {
	c := w.call.conn
	for {
		switch err := c.hold(w.one[:]); {
		case err == nil:
		case !isTimeout(err):
			if !c.holdsRequest() {
				w.call.cancel()
			}
			return
		case w.isStopping():
			return
		}
	}
}
