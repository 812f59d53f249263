package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
)

// newInner returns the server behind the relays. It is a backend but for two
// things: it does not look after idle connections, since it cannot know which
// are, and it takes no frame larger than any server must.
//
// It sees HTTP/2 in clear, with TLS or without: net/http admits HTTP/2 inside TLS
// on a bare *tls.Conn only. What TLS it is, front learns by way of ConnContext,
// the only way there is from a connection to its requests.
func (s *Server) newInner() *backend {
	inner := s.newBackend()
	inner.Protocols.SetUnencryptedHTTP2(true)
	inner.HTTP2.MaxReadFrameSize = maxFramePayload
	inner.IdleTimeout, inner.ReadHeaderTimeout, inner.ConnState = 0, 0, nil
	inner.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if h, ok := c.(*http2Conn); ok && h.tls != nil {
			return context.WithValue(ctx, tlsOfRelay{}, h.tls)
		}
		return ctx
	}
	return inner
}

// tlsOfRelay is the key of the TLS state in the context of a relayed connection.
type tlsOfRelay struct{}

// setTLS completes a request that came through a relay.
func setTLS(r *http.Request) {
	if state, ok := r.Context().Value(tlsOfRelay{}).(*tls.ConnectionState); ok {
		r.TLS = state
	}
}

// mayRelay tells whether HTTP/2 may be spoken on a TLS connection (RFC 9113
// section 9.2). Others go to net/http as they are, which refuses them.
func mayRelay(state tls.ConnectionState) bool {
	if state.Version >= tls.VersionTLS13 {
		return true
	}
	switch state.CipherSuite {
	case tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
		return state.Version == tls.VersionTLS12
	}
	return false
}

// relay hands a connection, of which some bytes have been read already, to the
// inner server behind a relay.
func (s *Server) relay(c net.Conn, l *link, ahead []byte) *http2Conn {
	h := s.newHTTP2Conn(c, ahead)
	if !s.links.setHTTP2(l) || !s.inner.gate.give(h) {
		h.Close()
	}
	return h
}

// relay hands over a connection that has begun with the preface of HTTP/2. It
// waits, inside the Read that found it, until the connection has ended, and that
// is all that the HTTP/1 side learns.
func (c *conn) relay() error {
	ahead := append([]byte(nil), c.in.bytes()...)
	c.in.release()
	h := c.server.relay(c.link, c.link, ahead)
	<-h.closed
	return c.die(io.EOF)
}

// drainRelays waits, in a drain, until no connection by HTTP/1 is left, and no
// relayed one.
func (s *Server) drainRelays(ctx context.Context) error {
	if s.inner == nil {
		return s.links.awaitNoHTTP1(ctx)
	}
	if err := s.inner.Shutdown(ctx); err != nil {
		return err
	}
	return s.links.awaitNone(ctx)
}
