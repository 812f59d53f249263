package server

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// http2Wait bounds how long Read waits for the client. The deadline of the
// connection changes once in an idle timeout, not with every request: one that
// comes too early is found to, and set again.
type http2Wait struct {
	active atomic.Int64 // when the connection was last of use, by the server's clock

	mu struct {
		sync.Mutex
		reading bool // Read waits
		poked   bool // Read has something to see to
	}
	armed   time.Time // guarded by mu; the deadline that is in force
	leaving bool      // the idle connection has been told
}

func (w *http2Wait) touch(now time.Duration) { w.active.Store(int64(now)) }

// await reads from the client into p, or into h.in where p is nil. It sends what
// is ready first. It returns without a byte when something else has come up.
func (h *http2Conn) await(p []byte) (int, error) {
	if err := h.out.flush(); err != nil {
		return 0, err
	}
	if h.used {
		h.used = false
		h.wait.touch(h.server.uptime())
	}
	if !h.beginWait() {
		h.takeCredit()
		return 0, nil
	}
	var n int
	var err error
	if p != nil {
		n, err = h.Conn.Read(p)
	} else {
		n, err = h.in.fill(h.Conn, pooledSize)
	}
	h.endWait(err)
	switch {
	case n > 0:
		return n, nil
	case isTimeout(err):
		return 0, h.timedOut()
	}
	return 0, err
}

// beginWait puts the deadline in force, unless Read has been poked.
func (h *http2Conn) beginWait() bool {
	due := h.due()
	w := &h.wait
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.poked {
		w.mu.poked = false
		return false
	}
	w.mu.reading = true
	if w.armed.IsZero() || w.armed.Equal(aLongTimeAgo) || due.Before(w.armed) {
		w.armed = due
		h.Conn.SetReadDeadline(due)
	}
	return true
}

func (h *http2Conn) endWait(err error) {
	w := &h.wait
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.reading = false
	if isTimeout(err) {
		w.armed = time.Time{}
	}
}

// poke makes Read look up. It may be called by anybody.
func (h *http2Conn) poke() {
	w := &h.wait
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.poked = true
	if w.mu.reading {
		w.armed = aLongTimeAgo
		h.Conn.SetReadDeadline(aLongTimeAgo)
	}
}

// due returns when to stop waiting for the client: in the middle of a header
// block soon, otherwise when the connection has been idle for long enough.
func (h *http2Conn) due() time.Time {
	s := h.server
	if h.block.open {
		return s.made.Add(h.block.by)
	}
	if !h.ready {
		return s.made.Add(h.began + s.limits.Load().ReadHeaderTimeout)
	}
	if h.isBusy() || h.wait.leaving {
		return s.made.Add(s.uptime() + s.cfg.Limits.IdleTimeout)
	}
	return s.made.Add(time.Duration(h.wait.active.Load()) + s.cfg.Limits.IdleTimeout)
}

// timedOut decides what becomes of a wait whose deadline has passed.
func (h *http2Conn) timedOut() error {
	now := h.server.uptime()
	switch {
	case h.block.open && h.block.by <= now:
		return h.tooSlow()
	case !h.ready && h.began+h.server.limits.Load().ReadHeaderTimeout <= now:
		return io.EOF // nothing has been said yet
	case h.block.open || h.isBusy() || h.wait.leaving || !h.ready:
	case time.Duration(h.wait.active.Load())+h.server.cfg.Limits.IdleTimeout > now:
	case h.passing > 0:
		return h.end(errorNone) // inside a frame the inner server cannot be told
	default:
		h.leave()
	}
	return nil
}

// leave has the inner server end the connection as soon as nothing is under way,
// as if the client had said that it will not ask for more.
func (h *http2Conn) leave() {
	h.wait.leaving = true
	h.onward.append(appendGoAway(nil, 0, errorNone))
}

// isBusy tells whether the inner server has anything under way.
func (h *http2Conn) isBusy() bool { return h.out.open.Load() > 0 }

// tooSlow ends a connection whose header block does not come to its end.
func (h *http2Conn) tooSlow() error {
	h.server.emit(h.Conn, event.Refused{Reason: event.RefusedHeadTimeout})
	return h.end(errorCalmDown)
}
