package server

import "sync/atomic"

// Stats are counts of what a Server has seen since it was made.
type Stats struct {
	Open     int    // connections there are now, those in a TLS handshake included
	Accepted uint64 // connections accepted by the operating system
	// Refused counts requests and connections that were turned away: the calls
	// of Config.Refused, each of which has a reason.
	Refused uint64
	// HandshakeFailures counts TLS handshakes that came to no good end,
	// whosever fault it was; cleartext on a TLS port is among them.
	HandshakeFailures uint64
	// HTTP1Requests and HTTP2Requests count requests whose head arrived whole
	// by each version and, of HTTP/1, was found strict.
	HTTP1Requests, HTTP2Requests uint64
}

// Stats returns the counts. Each is exact; together they are of no one moment.
func (s *Server) Stats() Stats {
	http1, http2 := s.calls.requests()
	return Stats{
		Open:              s.links.open(),
		Accepted:          s.counts.accepted.Load(),
		Refused:           s.counts.refused.Load(),
		HandshakeFailures: s.counts.handshakeFailures.Load(),
		HTTP1Requests:     http1,
		HTTP2Requests:     http2,
	}
}

type counts struct {
	accepted, refused, handshakeFailures atomic.Uint64
}
