package server

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// An accept fails for want of descriptors or memory, which only the end of
// other connections gives back: it is tried again after a pause that doubles.
const (
	minAcceptPause = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// accept admits connections from one port until the Server stops accepting.
func (s *Server) accept(p *port) {
	pause := minAcceptPause
	for {
		raw, err := p.listener.Accept()
		switch {
		case err == nil:
			pause = minAcceptPause
			s.admit(p, raw)
		case s.isStopping():
			return
		case errors.Is(err, net.ErrClosed):
			s.cfg.Log.Error("listener was closed by somebody else", "address", p.listener.Addr().String())
			return
		default:
			s.cfg.Log.Warn("cannot accept", "address", p.listener.Addr().String(), "error", err, "retry_in", pause)
			select {
			case <-time.After(pause):
			case <-s.stopping:
				return
			}
			pause = min(2*pause, maxAcceptPause)
		}
	}
}

func (s *Server) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// admit enters a connection in the table and sends it on its way. It does not
// wait for anything the client does.
func (s *Server) admit(p *port, raw net.Conn) {
	s.counts.accepted.Add(1)
	from := origin(raw.RemoteAddr())
	if p.proxyFrom != nil {
		if !p.trusts(raw.RemoteAddr()) {
			s.emit(raw, event.Refused{Reason: event.RefusedPeer})
			raw.Close()
			return
		}
		from = netip.Addr{} // the proxy's, which is nobody's we count
	}
	l, reason := s.links.add(raw, from, s.limits.Load())
	if l == nil {
		if reason != "" {
			s.emit(raw, event.Refused{Reason: reason})
		}
		raw.Close()
		return
	}
	switch {
	case p.proxyFrom != nil:
		s.work.Go(func() { s.unwrap(p, l) })
	case p.tls != nil:
		s.work.Go(func() { s.handshake(p, l) })
	default:
		s.begin(p, l)
	}
}

// begin speaks with the client on a connection whose addresses are known. On a
// TLS port it waits for the client; otherwise it does not.
func (s *Server) begin(p *port, l *link) {
	if p.tls != nil {
		s.handshake(p, l)
		return
	}
	c := s.newConn(l, l)
	c.mayBeHTTP2 = true
	if !s.links.setHTTP1(l, c) || !s.http1.gate.give(cleartext{c}) {
		c.Close()
	}
}

// emit hands a refusal on a connection to whoever listens.
func (s *Server) emit(c net.Conn, r event.Refused) {
	r.Remote, r.Local = c.RemoteAddr().String(), c.LocalAddr().String()
	s.report(r)
}

// report hands a refusal to whoever listens, unless the Server has closed.
func (s *Server) report(r event.Refused) {
	shard := s.calls.shard()
	if !s.calls.enter(shard) {
		return
	}
	defer s.calls.exit(shard)
	s.counts.refused.Add(1)
	r.Time = time.Now()
	s.cfg.Refused(r)
}
