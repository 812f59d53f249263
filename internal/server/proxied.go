package server

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// trusts tells whether the peer of a connection may send a PROXY header. Who
// may not is refused even without one: a port with the PROXY protocol is not
// for clients.
func (p *port) trusts(peer net.Addr) bool {
	addr := addrOf(peer)
	for _, network := range p.proxyFrom {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// unwrap takes the PROXY header off a connection and sends it on its way.
func (s *Server) unwrap(p *port, l *link) {
	h, reason, ok := s.readProxyHeader(l)
	if !ok {
		if reason != "" {
			began := subjectOf(l.ahead.bytes()) // helps to see what speaks there
			s.emit(l, event.Refused{Reason: reason, Method: escape(began.method), Target: escape(began.target)})
		}
		l.Close()
		return
	}
	l.name(h)
	if h.subject == proxyClient {
		if reason := s.links.locate(l, s.limits.Load()); reason != "" {
			s.emit(l, event.Refused{Reason: reason})
			l.Close()
			return
		}
	}
	s.begin(p, l)
}

// readProxyHeader reads a PROXY header. Where ok is false the connection is to
// be closed, for the reason given or because it ended.
func (s *Server) readProxyHeader(l *link) (h proxyHeader, reason event.RefusedReason, ok bool) {
	l.ahead.pool = s.buffers
	l.Conn.SetReadDeadline(time.Now().Add(s.limits.Load().ReadHeaderTimeout))
	for {
		n, err := l.ahead.fill(l.Conn, maxProxyHeader)
		if n == 0 {
			if errors.Is(err, os.ErrDeadlineExceeded) && l.ahead.len() > 0 {
				reason = event.RefusedProxyTimeout
			}
			return h, reason, false // some proxies connect and leave, to see whether we are there
		}
		h, size, ok := parseProxyHeader(l.ahead.bytes())
		switch {
		case !ok:
			return h, event.RefusedProxyHeader, false
		case size > 0:
			l.ahead.discard(size)
			l.Conn.SetReadDeadline(time.Time{})
			return h, "", true
		}
	}
}

// name gives a connection the addresses of a PROXY header. A loopback address
// is that of the proxy's host; where this is another, it must not be taken for
// ours, which has rights.
func (l *link) name(h proxyHeader) {
	switch {
	case h.subject == proxySelf:
	case h.subject == proxyAnonymous,
		h.source.Addr().IsLoopback() && !addrOf(l.Conn.RemoteAddr()).IsLoopback():
		l.remote = unknownAddr{}
	default:
		l.remote, l.local = net.TCPAddrFromAddrPort(h.source), net.TCPAddrFromAddrPort(h.destination)
	}
}

// unknownAddr is the address of a client whom a proxy did not name. The proxy's
// own would not do, since it may have rights that are not for its clients.
type unknownAddr struct{}

func (unknownAddr) Network() string { return "tcp" }
func (unknownAddr) String() string  { return "unknown" }

// RemoteAddr returns the client's address: as a trusted proxy told, or the
// peer's.
func (l *link) RemoteAddr() net.Addr {
	if l.remote != nil {
		return l.remote
	}
	return l.Conn.RemoteAddr()
}

// LocalAddr returns the address that the client connected to: as a trusted
// proxy told, or ours.
func (l *link) LocalAddr() net.Addr {
	if l.local != nil {
		return l.local
	}
	return l.Conn.LocalAddr()
}

// Read returns first what came together with a PROXY header.
func (l *link) Read(p []byte) (int, error) {
	if l.ahead.len() == 0 {
		return l.Conn.Read(p)
	}
	n := copy(p, l.ahead.bytes())
	l.ahead.discard(n)
	return n, nil
}

// addrOf returns the IP address of a network address, without a zone; the zero
// address where it has none, as with a Unix socket.
func addrOf(a net.Addr) netip.Addr {
	var addr netip.Addr
	if tcp, ok := a.(*net.TCPAddr); ok {
		addr = tcp.AddrPort().Addr()
	} else if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		addr = ap.Addr()
	}
	return addr.Unmap().WithZone("")
}
