package simnet

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

type listener struct {
	host   *Host
	addr   netip.AddrPort
	queue  chan *conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.host.mu.Lock()
		defer l.host.mu.Unlock()
		if l.host.mu.listeners[l.addr.Port()] == l {
			delete(l.host.mu.listeners, l.addr.Port())
		}
		for {
			select {
			case c := <-l.queue:
				go c.reset()
			default:
				return
			}
		}
	})
	return nil
}

const (
	// window is how many bytes of a stream may be on their way or unread.
	window = 1 << 20
	// patience is how long a stream outlives a partition.
	patience = 15 * time.Second
)

// conn is one end of a stream.
type conn struct {
	host   *Host
	local  netip.AddrPort
	remote netip.AddrPort
	in     *half
	out    *half
}

// half is one direction.
type half struct {
	net      *Net
	from, to netip.Addr
	mu       sync.Mutex
	cond     *sync.Cond
	ready    []byte
	flying   [][]byte // in order of arrival; nil: the end
	last     time.Time
	ended    bool  // nothing comes after ready
	err      error // reading and writing fail at once
	closed   bool  // by the writer
	readBy   time.Time
	writeBy  time.Time
	inFlight int
}

func newHalf(n *Net, from, to netip.Addr) *half {
	h := &half{net: n, from: from, to: to}
	h.cond = sync.NewCond(&h.mu)
	return h
}

func newPair(near, far *Host, to netip.AddrPort) (a, b *conn) {
	local := netip.AddrPortFrom(near.addr, 1)
	ab, ba := newHalf(near.net, near.addr, far.addr), newHalf(near.net, far.addr, near.addr)
	a = &conn{host: near, local: local, remote: to, in: ba, out: ab}
	b = &conn{host: far, local: to, remote: local, in: ab, out: ba}
	for _, c := range []*conn{a, b} {
		c.host.mu.Lock()
		c.host.mu.conns[c] = struct{}{}
		c.host.mu.Unlock()
	}
	return a, b
}

func (c *conn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

func (c *conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.out.write(b) }

func (c *conn) Close() error {
	c.forget()
	c.in.fail(net.ErrClosed)
	c.out.end()
	return nil
}

// reset ends the stream for both sides at once.
func (c *conn) reset() {
	c.forget()
	c.in.fail(syscall.ECONNRESET)
	c.out.fail(syscall.ECONNRESET)
}

func (c *conn) forget() {
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	delete(c.host.mu.conns, c)
}

func (c *conn) SetDeadline(t time.Time) error {
	c.in.deadline(&c.in.readBy, t)
	c.out.deadline(&c.out.writeBy, t)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.deadline(&c.in.readBy, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.deadline(&c.out.writeBy, t)
	return nil
}

func (h *half) deadline(which *time.Time, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*which = t
	if !t.IsZero() {
		time.AfterFunc(time.Until(t), h.wake)
	}
	h.cond.Broadcast()
}

func (h *half) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cond.Broadcast()
}

func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.err != nil:
			return 0, h.err
		case len(h.ready) > 0:
			n := copy(b, h.ready)
			h.ready = h.ready[n:]
			h.cond.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		case passed(h.readBy):
			return 0, os.ErrDeadlineExceeded
		}
		h.cond.Wait()
	}
}

func (h *half) write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.err == nil && !h.closed && !passed(h.writeBy) && h.inFlight+len(h.ready) > window {
		h.cond.Wait()
	}
	switch {
	case h.err != nil:
		return 0, h.err
	case h.closed:
		return 0, net.ErrClosed
	case passed(h.writeBy):
		return 0, os.ErrDeadlineExceeded
	}
	h.launchLocked(append([]byte(nil), b...))
	return len(b), nil
}

func (h *half) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed && h.err == nil {
		h.closed = true
		h.launchLocked(nil)
	}
}

func (h *half) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = err
	}
	h.cond.Broadcast()
}

// launchLocked sends bytes on their way. They arrive in order.
func (h *half) launchLocked(b []byte) {
	h.flying = append(h.flying, b)
	h.inFlight += len(b)
	now := time.Now()
	delay, open := h.net.segment(h.from, h.to, len(b))
	if !open {
		time.AfterFunc(minRetry, func() { h.retry(now) })
		return
	}
	at := now.Add(delay)
	if at.Before(h.last) {
		at = h.last
	}
	h.last = at
	time.AfterFunc(at.Sub(now), h.arrive)
}

// retry tries again to send what a partition holds up.
func (h *half) retry(since time.Time) {
	delay, open := h.net.segment(h.from, h.to, 0)
	switch {
	case open:
		time.AfterFunc(delay, h.arrive)
	case time.Since(since) > patience:
		h.fail(syscall.ETIMEDOUT)
	default:
		time.AfterFunc(minRetry, func() { h.retry(since) })
	}
}

// arrive delivers the first bytes on their way, whoever's turn it is: each
// launch arrives once.
func (h *half) arrive() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.flying) == 0 || h.err != nil {
		return
	}
	b := h.flying[0]
	h.flying = h.flying[1:]
	if b == nil {
		h.ended = true
	}
	h.inFlight -= len(b)
	h.ready = append(h.ready, b...)
	h.cond.Broadcast()
}
