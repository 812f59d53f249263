package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// ErrFraming is wrapped by the error that a request body's Read returns when
// the client broke the framing of the body (a client that fell silent gives
// os.ErrDeadlineExceeded). The connection ends after the response.
var ErrFraming = errors.New("malformed request body")

// phase is what the next bytes of a connection are.
type phase uint8

const (
	awaiting   phase = iota // nothing yet, or a part of a head
	delivering              // a head that has been found strict
	counting                // a body under Content-Length
	chunking                // a body under Transfer-Encoding: chunked
	planned                 // a request that the PlainHandler is to answer: c.plain
	raw                     // not ours any more: HTTP/2, or taken over by a handler
	relayed                 // HTTP/2, to be relayed
	dead                    // nothing: the framing was broken
)

// conn is the strict wrapper of an HTTP/1 connection. net/http reads requests
// through it.
//
// Invariant: net/http has received no byte of a request whose head has not been
// read whole and found strict, but at most its first (see watch).
//
// Read is never called twice at a time: net/http takes turns between serving
// and watching for the client to leave. Everything without a note is Read's, or
// belongs to the hooks that net/http calls between two Reads.
type conn struct {
	net.Conn // the TCP connection, or TLS on it
	link     *link
	server   *Server

	mayBeHTTP2 bool // may begin with the HTTP/2 preface; false after the first head

	phase      phase
	in         buffer    // received and not passed on
	head       head      // the one being read
	headBy     time.Time // when the head has to be there; zero if it came in one piece
	headLeft   int       // while delivering: how much of it is still in the buffer
	bodyLeft   int64     // while counting
	chunks     chunks    // while chunking
	ahead      bool      // the first byte in the buffer has been passed on already
	skipped    bool      // an empty line before the head has been dropped
	responding bool      // net/http has a request that it has not finished with
	held       bool      // the head began to arrive while net/http was responding
	slow       bool      // pipelines or sends bodies: all is for net/http
	err        error     // when dead
	subject    subject

	shard    *shard        // what requests on this connection are counted in
	peer     *peer         // nil until the FastHandler is called
	direct   *direct       // nil until it is needed, and where indirect
	indirect bool          // cannot be served by the descriptor
	plain    *plainCall    // while planned
	answered time.Duration // when a request was last answered, by the server's clock; 0 where net/http did that

	reading  deadlines
	writeBy  atomic.Int64 // deadline of writing, by the server's clock; 0 where it is not ours
	activity atomic.Int32 // idle, busy or retired; shared with a drain
}

// The states of conn.activity. A drain moves idle to retired, the first byte of
// a request moves idle to busy; whoever is first decides.
const (
	idle int32 = iota
	busy
	retired
)

func (s *Server) newConn(c net.Conn, l *link) *conn {
	return &conn{
		Conn: c, link: l, server: s,
		in: buffer{pool: s.buffers}, shard: s.calls.shard(),
	}
}

// Read passes on what may be passed on.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		switch c.phase {
		case awaiting:
			if c.responding {
				return c.watch(p)
			}
			if n, err := c.awaitHead(p); n > 0 || err != nil {
				return n, err
			}
		case delivering:
			return c.deliver(p), nil
		case counting:
			return c.readCounted(p)
		case chunking:
			return c.readChunked(p)
		case planned:
			if err := c.servePlain(); err != nil {
				return 0, c.die(err)
			}
		case raw:
			return c.readRaw(p)
		case relayed:
			return 0, c.relay()
		case dead:
			return 0, c.err
		}
	}
}

// start begins the request whose head, of the given size, stands in the buffer.
//
// Between examine and start nothing of this request has reached net/http
// (unless c.ahead) and no response is under way: whatever is written to the
// connection there is the whole answer.
func (c *conn) start(size int) {
	c.begin()
	if c.head.hasBody() {
		c.subject = subjectOf(c.in.bytes()).clone()
		c.slow = true
	}
	if c.in.len() > size {
		c.slow = true
	}
	if c.ahead {
		c.ahead = false
		c.in.discard(1)
		size--
	}
	c.phase, c.headLeft = delivering, size
}

// begin marks the beginning of a request that net/http is to have.
func (c *conn) begin() {
	c.mayBeHTTP2 = false
	c.skipped = false
	c.held = false
	c.headBy = time.Time{}
	c.responding = true
	c.answered = 0
	c.unlimitWrite()
}

func (c *conn) deliver(p []byte) int {
	n := copy(p, c.in.bytes()[:c.headLeft])
	c.in.discard(n)
	if c.headLeft -= n; c.headLeft > 0 {
		return n
	}
	switch {
	case c.head.chunked:
		c.phase, c.chunks = chunking, chunks{}
	case c.head.length > 0:
		c.phase, c.bodyLeft = counting, c.head.length
	default:
		c.phase = awaiting
	}
	c.head = head{}
	return n
}

func (c *conn) readRaw(p []byte) (int, error) {
	if c.in.len() == 0 {
		return c.read(p)
	}
	n := copy(p, c.in.bytes())
	c.in.discard(n)
	return n, nil
}

// die makes every further Read fail with err.
func (c *conn) die(err error) error {
	c.phase, c.err = dead, err
	c.in.release()
	return err
}

// breach ends a connection in the middle of a body, with an error that says
// the reason and wraps cause. The handler that reads the body gets it and gives
// the answer; there is none from here, because one may be under way.
func (c *conn) breach(reason event.RefusedReason, cause error) error {
	c.server.emit(c.Conn, event.Refused{
		Reason: reason, Method: escape(c.subject.method), Target: escape(c.subject.target),
	})
	return c.die(fmt.Errorf("%w: %s", cause, reason))
}

// stateChanged is the hook by which net/http tells where a connection stands.
// No Read is running when it is called for a wrapped connection.
func stateChanged(nc net.Conn, state http.ConnState) {
	w, ok := nc.(interface{ wrapper() *conn })
	if !ok {
		return // HTTP/2 over TLS
	}
	switch state {
	case http.StateIdle:
		w.wrapper().rest()
	case http.StateHijacked:
		w.wrapper().surrender()
	}
}

// rest begins the wait for the next request.
func (c *conn) rest() {
	if c.phase == raw {
		return // it is HTTP/2 that is idle
	}
	c.responding = false
	if c.phase != awaiting {
		// The last body did not end: what follows must not become a request.
		c.die(errDesync)
		return
	}
	if c.in.len() > 0 {
		return // the next request has begun to arrive
	}
	c.doze()
}

// doze marks the connection idle.
func (c *conn) doze() {
	c.activity.Store(idle)
	if c.server.draining.Load() {
		c.retire()
	}
}

// surrender makes the connection pass everything, because a handler has taken
// it over: what follows is not HTTP/1. A handler that refuses an upgrade does
// not take over, so what follows is checked like any request.
func (c *conn) surrender() {
	if c.ahead {
		c.ahead = false
		c.in.discard(1)
	}
	c.phase = raw
}

// retire ends the connection if it is idle: the Read in progress, or the next,
// finds the deadline passed or the mark set, and net/http closes.
func (c *conn) retire() {
	if c.activity.CompareAndSwap(idle, retired) {
		c.SetReadDeadline(aLongTimeAgo)
	}
}

// wake marks the connection busy. It returns io.EOF if it has been retired.
func (c *conn) wake() error {
	if c.activity.CompareAndSwap(idle, busy) || c.activity.Load() == busy {
		return nil
	}
	return io.EOF
}

func (c *conn) wrapper() *conn { return c }

func (c *conn) isTLS() bool { return c.Conn != c.link }
