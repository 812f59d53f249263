package server

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"time"
)

// fastOutcome is what became of a head that arrived in one piece.
type fastOutcome uint8

const (
	fastUnknown  fastOutcome = iota // for the strict parser
	fastStrict                      // for net/http, and found strict
	fastAnswered                    // by the FastHandler
	fastPlanned                     // for the PlainHandler, and in c.plain
	fastEnded                       // the connection is to be closed
)

// fastCall is a call of the FastHandler with all that it needs. It is kept only
// during the call: idle connections are many, calls at one time few, and what
// was used a moment ago is still in the processor's cache.
type fastCall struct {
	request FastRequest
	conn    *conn
	now     time.Duration // of the server's clock, when the request was there
	sent    bool          // Send has been called
	err     error         // of Send
	parts   [maxParts][]byte
	vector  net.Buffers // part of parts

	// Of a connection that is served by its descriptor.
	direct   bool
	fd       uintptr
	room     [pooledSize]byte // what the request is read into
	receiver receiver
}

func newCallPool() *sync.Pool {
	return &sync.Pool{New: func() any { return new(fastCall) }}
}

func (s *Server) takeCall() *fastCall { return s.fastCalls.Get().(*fastCall) }

func (s *Server) giveCall(call *fastCall) {
	call.direct, call.conn = false, nil
	s.fastCalls.Put(call)
}

// peer is what FastRequest says of the other end. It is made for a connection's
// first simple request.
type peer struct {
	remote string
	addr   netip.Addr
	tls    uint16
}

func (c *conn) newPeer() *peer {
	a := c.RemoteAddr()
	p := &peer{remote: a.String(), addr: addrOf(a)}
	if secure, ok := c.Conn.(*tls.Conn); ok {
		p.tls = secure.ConnectionState().Version
	}
	return p
}

// meet judges what has arrived while nothing was under way, and has it answered
// if it is a simple request.
func (c *conn) meet(call *fastCall, b []byte) fastOutcome {
	s := c.server
	switch scanHead(b, s.limits.Load(), &call.request) {
	case bodyless:
		return fastStrict
	case simple:
		if c.slow || s.draining.Load() {
			return fastStrict
		}
		return c.offerOrPlan(call, b)
	}
	return fastUnknown
}

// offerOrPlan has a simple request answered at once, or sees to it that it will
// be by the PlainHandler.
func (c *conn) offerOrPlan(call *fastCall, b []byte) fastOutcome {
	if c.peer == nil {
		c.peer = c.newPeer()
	}
	call.request.Remote, call.request.Peer, call.request.TLS = c.peer.remote, c.peer.addr, c.peer.tls
	call.request.Time = time.Now()
	if c.server.cfg.Fast != nil {
		if outcome := c.offer(call); outcome != fastStrict {
			return outcome
		}
	}
	if c.plan(&call.request, b) {
		return fastPlanned
	}
	return fastStrict
}

// offer calls the FastHandler. A panic of it goes on to net/http, which logs it
// and closes the connection.
func (c *conn) offer(call *fastCall) fastOutcome {
	s := c.server
	if !s.calls.enter(c.shard) {
		return fastEnded
	}
	defer s.calls.exit(c.shard)
	call.conn, call.now, call.sent, call.err = c, call.request.Time.Sub(s.made), false, nil

	took := s.cfg.Fast.ServeFast(call, &call.request)
	switch {
	case !took && !call.sent:
		return fastStrict
	case !took || !call.sent || call.err != nil:
		return fastEnded // half an answer, or none: nothing can follow
	}
	c.answered = call.now
	return fastAnswered
}
