package admin

import (
	"net"
	"net/http"
	"net/netip"

	"github.com/rescind-edge/rescind/internal/control"
)

// Client returns who sent a request to the admin listener: the peer of its
// connection. Nobody is trusted there to speak for others, so what was passed
// on by a proxy, or sent by a browser for a web page, cannot use the address it
// comes from: an operator who visits a hostile page must not purge by it.
func Client(r *http.Request) control.Credentials {
	creds := control.Credentials{Forwarded: passedOn(r.Header)}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		creds.Local = true
		return creds
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		creds.Addr = peer.Addr().Unmap()
	}
	return creds
}

// passedOn tells whether a request speaks for somebody else than its peer.
// Browsers send Origin with every POST, and Sec-Fetch-Site with every request
// to a host they think safe, which loopback is.
func passedOn(h http.Header) bool {
	for _, name := range [...]string{"Forwarded", "X-Forwarded-For", "Origin"} {
		if len(h[name]) > 0 {
			return true
		}
	}
	switch h.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	return true
}
