package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rescind-edge/rescind/internal/event"
)

// http2Conn stands between a client and the HTTP/2 server of Go. That server
// reads the client's frames through Read and writes its own through Write; it
// is called the inner server here.
//
// Read answers simple requests by itself. The inner server never hears of
// them: a stream that it has not seen was, to its mind, closed before it was
// opened (RFC 9113 section 5.1.1). Everything else it gets, and it judges:
// what is malformed is passed on as it came. Three things differ on the two
// sides, so they are translated:
//
//   - header blocks, because each compression context has one writer;
//   - the window of the connection, which both share (http2window.go);
//   - the last stream of a GOAWAY, which covers those answered here.
//
// Read is called by one goroutine of the inner server, Write by others, one at
// a time. Fields belong to Read unless they say otherwise.
type http2Conn struct {
	net.Conn // the TCP connection, or TLS on it
	server   *Server
	shard    *shard
	peer     peer
	call     http2Call

	in      buffer // received and not looked at
	onward  buffer // translated, for the inner server
	passing int    // how many bytes, from in and behind it, are passed on as they are
	ended   bool   // nothing more is read

	ready     bool // the client's first SETTINGS have been passed on
	block     http2Block
	last      uint32 // the client's last stream
	lastInner uint32 // the last of those that the inner server was given

	wait http2Wait
	used bool        // something was answered since the last wait
	out  http2Output // shared with Write

	settled chan struct{} // closed when the inner server has sent SETTINGS, or gave up
	settle  sync.Once
}

// http2Server is the inner server of all connections.
type http2Server struct {
	http2.Server
	base http.Server
}

// newHTTP2Server returns an inner server, configured as backends are but for
// two things. It does not look after idle connections, since it cannot know
// which are. And it takes no frame larger than any server must.
func (s *Server) newHTTP2Server() (*http2Server, error) {
	backend := s.newBackend()
	inner := &http2Server{base: http.Server{
		Handler:        backend.Handler,
		MaxHeaderBytes: backend.MaxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: backend.HTTP2.MaxConcurrentStreams,
			SendPingTimeout:      backend.HTTP2.SendPingTimeout,
			MaxReadFrameSize:     maxFramePayload,
		},
		ErrorLog: backend.ErrorLog,
	}}
	return inner, http2.ConfigureServer(&inner.base, &inner.Server)
}

// newHTTP2Conn returns the relay of a connection of which some bytes have been
// read already.
func (s *Server) newHTTP2Conn(c net.Conn, ahead []byte) *http2Conn {
	h := &http2Conn{
		Conn: c, server: s, shard: s.calls.shard(), settled: make(chan struct{}),
		in: buffer{pool: s.buffers}, onward: buffer{pool: s.buffers},
		passing: len(http2Preface),
	}
	h.call.conn = h
	h.in.append(ahead)
	h.block.decoder = hpack.NewDecoder(defaultTableSize, h.block.take)
	h.block.decoder.SetMaxStringLength(maxHeaderList)
	h.out.init(h)
	h.wait.touch(s.uptime())

	a := c.RemoteAddr()
	h.peer = peer{remote: a.String(), addr: addrOf(a)}
	if secure, ok := c.(*tls.Conn); ok {
		h.peer.tls = secure.ConnectionState().Version
	}
	return h
}

// serveHTTP2 speaks HTTP/2 with a client until the connection has ended.
func (s *Server) serveHTTP2(c net.Conn, ahead []byte) {
	h := s.newHTTP2Conn(c, ahead)
	defer h.Close()
	var seen net.Conn = h
	if secure, ok := c.(*tls.Conn); ok {
		seen = http2Secure{h, secure}
	}
	s.inner.ServeConn(seen, &http2.ServeConnOpts{BaseConfig: &s.inner.base, Handler: s.inner.base.Handler})
}

// http2Secure is an http2Conn on TLS: the inner server takes a connection with
// this method for one.
type http2Secure struct {
	*http2Conn
	secure *tls.Conn
}

// ConnectionState makes the inner server set the TLS field of requests, and
// refuse what RFC 9113 section 9.2 does not admit.
func (h http2Secure) ConnectionState() tls.ConnectionState { return h.secure.ConnectionState() }

// Close closes the connection, for client and inner server.
func (h *http2Conn) Close() error {
	h.settle.Do(func() { close(h.settled) })
	return h.Conn.Close()
}

// Read gives the inner server what the client sent, but for what is answered here.
func (h *http2Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		switch {
		case h.passing > 0:
			return h.pass(p)
		case h.onward.len() > 0:
			n := copy(p, h.onward.bytes())
			h.onward.discard(n)
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		if err := h.step(); err != nil {
			return 0, err
		}
	}
}

// pass passes bytes on as they are. Whatever has been translated meanwhile comes
// behind them: nothing may come between the parts of a frame.
func (h *http2Conn) pass(p []byte) (int, error) {
	p = p[:min(len(p), h.passing)]
	for h.in.len() == 0 {
		n, err := h.await(p)
		if n > 0 || err != nil {
			h.passing -= n
			return n, err
		}
	}
	n := copy(p, h.in.bytes())
	h.in.discard(n)
	h.passing -= n
	return n, nil
}

// fill reads more into h.in, or finds another reason to go on.
func (h *http2Conn) fill() error {
	_, err := h.await(nil)
	return err
}

// end ends the connection for an error that the inner server could not see, and
// tells the client (RFC 9113 section 5.4.1).
func (h *http2Conn) end(code uint32) error {
	h.ended = true
	if h.out.goAway(h.last, code) == nil {
		linger(h.Conn)
	}
	return io.EOF
}

// isBusy tells whether the inner server has anything under way.
func (h *http2Conn) isBusy() bool { return h.out.open.Load() > 0 }

// tooSlow ends a connection whose header block does not come to its end.
func (h *http2Conn) tooSlow() error {
	h.server.emit(h.Conn, event.Refused{Reason: event.RefusedHeadTimeout})
	return h.end(errorCalmDown)
}

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
	case h.block.open || h.isBusy() || h.wait.leaving || h.passing > 0 || !h.ready:
	case time.Duration(h.wait.active.Load())+h.server.cfg.Limits.IdleTimeout <= now:
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

// relayHTTP2 speaks HTTP/2 on a TLS connection.
func (s *Server) relayHTTP2(secure net.Conn, l *link) {
	if !s.links.setHTTP2(l) {
		l.Close()
		return
	}
	s.serveHTTP2(secure, nil)
}

// relayHTTP2 speaks HTTP/2 on a connection that has begun with its preface, and
// does so inside the Read that found it: net/http learns no more of the
// connection than that it has ended.
func (c *conn) relayHTTP2() error {
	if c.server.links.setHTTP2(c.link) {
		ahead := append([]byte(nil), c.in.bytes()...)
		c.in.release()
		c.server.serveHTTP2(c.link, ahead)
	}
	return c.die(io.EOF)
}

// drainRelays tells relayed connections to end, and waits for those and for all
// by HTTP/1.
func (s *Server) drainRelays(ctx context.Context) error {
	if s.inner == nil {
		return s.links.awaitNoHTTP1(ctx)
	}
	if err := s.inner.base.Shutdown(ctx); err != nil {
		return err
	}
	return s.links.awaitNone(ctx)
}
