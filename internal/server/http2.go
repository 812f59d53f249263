package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
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
func (h *http2Conn) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	defer h.survive(&err)
	for {
		switch {
		case h.passing > 0:
			return h.pass(p)
		case h.onward.len() > 0:
			n = copy(p, h.onward.bytes())
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

// survive ends the connection in place of the process: the inner server reads on
// a goroutine of which nobody catches a panic.
func (h *http2Conn) survive(err *error) {
	p := recover()
	if p == nil {
		return
	}
	h.ended = true
	h.server.cfg.Log.Error("panic in the relay of HTTP/2",
		"remote", h.peer.remote, "panic", p, "stack", string(debug.Stack()))
	*err = io.EOF
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
