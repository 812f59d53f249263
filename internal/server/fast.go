package server

import (
	"net/netip"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// FastHandler answers requests from inside the connection wrapper, without a
// turn of net/http: those that need nothing but what is in memory.
type FastHandler interface {
	// ServeFast answers r with one call of w.Send, or of w.SendFields for HTTP/2,
	// and returns true. Where it returns false it has had no effect, and the
	// Handler gets the request.
	//
	// It runs on the connection's goroutine, concurrently with itself. Nothing
	// of r or w may be kept. It waits for nothing but the client in Send: to close
	// the connection is to wait for it, and so is Server.Close.
	ServeFast(w FastWriter, r *FastRequest) bool
}

// FastRequest is a request that is simple enough to be answered at once: GET or
// HEAD, HTTP/1.1 or HTTP/2, a target in origin form, one valid Host, no body,
// nothing that concerns the connection but "Connection: keep-alive". Its head
// was found strict (see Limits) and, on HTTP/1, arrived in one piece.
//
// Strings point into the connection's buffer: they are valid during the call
// and not a moment longer.
type FastRequest struct {
	HTTP2  bool         // else HTTP/1.1
	Method string       // "GET" or "HEAD"
	Target string       // raw, begins with "/"
	Host   string       // as the client sent it, or :authority
	Fields field.Fields // every field line but Host and Connection, in order

	// Room is the most content, in bytes, that the client takes at once: more is
	// to be declined. Zero for any amount.
	Room int64

	Time   time.Time  // when the request was there; zero for the present
	Remote string     // the peer's address, as net.Addr prints it
	Peer   netip.Addr // the same, unmapped and without a zone; invalid for a Unix socket
	TLS    uint16     // version, as crypto/tls names it; 0 in clear
}

// FastWriter sends the answer to a FastRequest.
type FastWriter interface {
	// Send writes a whole response: its head, then the parts of its content. It
	// returns how many bytes of the content were handed to the system, and why
	// not all; the connection then ends. It keeps neither slice, but it may use
	// the room behind head, up to its capacity, to put an answer together.
	Send(head []byte, content [][]byte) (sent int64, err error)

	// SendFields is Send for HTTP/2: names may be in any case, and come in any
	// order. It keeps nothing either.
	SendFields(status int, fields field.Fields, content [][]byte) (sent int64, err error)
}
