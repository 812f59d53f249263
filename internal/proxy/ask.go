package proxy

import (
	"net/http"
	"net/netip"
	"strconv"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/server"
)

// ask is a request as its client sent it, whichever server read it. All rules
// read it, so that they are the same for every server.
type ask struct {
	method string
	target string // raw, in any form
	host   string
	proto  string
	major  int // of the protocol's version
	minor  int
	remote string     // address of the peer
	peer   netip.Addr // the same; invalid where it has none
	tls    uint16     // version; 0: in clear
	lines  field.Fields
}

// askOf takes a request from net/http. The lines are put into room.
func askOf(r *http.Request, room field.Fields) ask {
	a := ask{
		method: r.Method, target: r.RequestURI, host: r.Host, proto: r.Proto, major: r.ProtoMajor, minor: r.ProtoMinor,
		remote: r.RemoteAddr, peer: peerAddr(r.RemoteAddr), lines: room[:0],
	}
	if r.TLS != nil {
		a.tls = r.TLS.Version
	}
	for name, values := range r.Header {
		for _, value := range values {
			a.lines = a.lines.Add(name, value)
		}
	}
	return a
}

func askFast(r *server.FastRequest) ask {
	a := ask{
		method: r.Method, target: r.Target, host: r.Host, proto: "HTTP/1.1", major: 1, minor: 1,
		remote: r.Remote, peer: r.Peer, tls: r.TLS, lines: r.Fields,
	}
	if r.HTTP2 {
		a.proto, a.major, a.minor = "HTTP/2.0", 2, 0
	}
	return a
}

func (a *ask) scheme() string {
	if a.tls != 0 {
		return "https"
	}
	return "http"
}

// atLeastHTTP11 tells a client from what speaks HTTP/1.0.
func (a *ask) atLeastHTTP11() bool { return a.major > 1 || a.minor >= 1 }

// client tells where the request came from.
func (a *ask) client(trusted []netip.Prefix) client {
	return clientFrom(a.peer, a.atLeastHTTP11(), a.lines, trusted)
}

// protocol returns the received protocol as Via names it.
func (a *ask) protocol() string {
	if a.major == 1 && a.minor == 1 {
		return "1.1"
	}
	return strconv.Itoa(a.major) + "." + strconv.Itoa(a.minor)
}
