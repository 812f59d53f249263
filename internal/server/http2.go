package server

import (
	"crypto/tls"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"
)

// http2Conn stands between a client and the HTTP/2 server of net/http. That server
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
	net.Conn                      // the TCP connection, or TLS on it
	tls      *tls.ConnectionState // nil in clear
	server   *Server
	shard    *shard
	peer     peer
	call     http2Call

	in      buffer // received and not looked at
	onward  buffer // translated, for the inner server
	passing int    // how many bytes, from in and behind it, are passed on as they are
	ended   bool   // nothing more is read

	began     time.Duration // by the server's clock
	ready     bool          // the client's first SETTINGS have been passed on
	block     http2Block
	last      uint32 // the client's last stream
	lastInner uint32 // the last of those that the inner server was given

	wait http2Wait
	used bool        // something was answered since the last wait
	out  http2Output // shared with Write

	settled chan struct{} // closed when the inner server has sent SETTINGS, or gave up
	settle  sync.Once
	closed  chan struct{} // closed by Close
	closing sync.Once
}

// newHTTP2Conn returns the relay of a connection of which some bytes have been
// read already.
func (s *Server) newHTTP2Conn(c net.Conn, ahead []byte) *http2Conn {
	h := &http2Conn{
		Conn: c, server: s, shard: s.calls.shard(),
		settled: make(chan struct{}), closed: make(chan struct{}),
		in: buffer{pool: s.buffers}, onward: buffer{pool: s.buffers},
		passing: len(http2Preface),
	}
	h.call.conn = h
	h.in.append(ahead)
	h.block.decoder = hpack.NewDecoder(defaultTableSize, h.block.take)
	h.block.decoder.SetMaxStringLength(maxHeaderList)
	h.out.init(h)
	h.began = s.uptime()
	h.wait.touch(h.began)

	a := c.RemoteAddr()
	h.peer = peer{remote: a.String(), addr: addrOf(a)}
	if secure, ok := c.(*tls.Conn); ok {
		state := secure.ConnectionState()
		h.tls, h.peer.tls = &state, state.Version
	}
	return h
}

// Close closes the connection, for client and inner server.
func (h *http2Conn) Close() error {
	h.settle.Do(func() { close(h.settled) })
	h.closing.Do(func() { close(h.closed) })
	return h.Conn.Close()
}

// SetDeadline, SetReadDeadline and SetWriteDeadline do nothing: net/http sets
// none that counts on HTTP/2, and those of the connection are set here.
func (*http2Conn) SetDeadline(time.Time) error      { return nil }
func (*http2Conn) SetReadDeadline(time.Time) error  { return nil }
func (*http2Conn) SetWriteDeadline(time.Time) error { return nil }

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
