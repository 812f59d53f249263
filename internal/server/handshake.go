package server

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// handshake speaks TLS on an accepted connection and hands it to HTTP/2 or to
// HTTP/1, as agreed by ALPN. Handshakes run on goroutines of their own, as many
// as there may be connections: a smaller bound of their own would let a few
// clients that never finish theirs keep everybody else out.
func (s *Server) handshake(p *port, l *link) {
	l.SetDeadline(time.Now().Add(s.limits.Load().HandshakeTimeout))
	secure := tls.Server(l, p.tls)
	if err := secure.Handshake(); err != nil {
		s.handshakeFailed(l, err)
		return
	}
	l.SetDeadline(time.Time{})

	if secure.ConnectionState().NegotiatedProtocol == "h2" {
		if s.inner != nil && mayRelay(secure.ConnectionState()) {
			s.relay(secure, l, nil)
			return
		}
		// net/http recognises HTTP/2 only on a bare *tls.Conn.
		if !s.links.setHTTP2(l) || !s.http2.gate.give(secure) {
			l.Close()
		}
		return
	}
	c := s.newConn(secure, l)
	if !s.links.setHTTP1(l, c) || !s.http1.gate.give(encrypted{conn: c, tls: secure}) {
		l.Close()
	}
}

func (s *Server) handshakeFailed(l *link, err error) {
	defer l.Close()
	s.counts.handshakeFailures.Add(1)
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.Conn != nil && looksLikeHTTP(record.RecordHeader) {
		s.emit(l, event.Refused{Status: http.StatusBadRequest, Reason: event.RefusedCleartext})
		l.SetWriteDeadline(time.Now().Add(refusalWriteTimeout))
		io.WriteString(l, s.answer(event.RefusedCleartext))
		linger(l)
		return
	}
	s.cfg.Log.Debug("TLS handshake failed", "remote", l.RemoteAddr().String(), "error", err)
}

// looksLikeHTTP tells whether the first bytes on a TLS port begin a request
// line of a method that browsers and tools send.
func looksLikeHTTP(first [5]byte) bool {
	switch string(first[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH", "PRI *":
		return true
	}
	return false
}
