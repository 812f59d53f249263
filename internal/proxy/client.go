package proxy

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// client is where a request came from.
type client struct {
	addr      netip.Addr // of the client
	peer      netip.Addr // of the connection
	trusted   bool       // the peer is a trusted proxy
	forwarded bool       // comes, by its looks, through a peer that is not
}

// clientOf takes the address from the connection. Only where the peer is
// trusted does X-Forwarded-For count: the last address in it that is not a
// trusted proxy's itself.
func clientOf(r *http.Request, trusted []netip.Prefix) client {
	c := client{peer: peerAddr(r.RemoteAddr)}
	c.addr = c.peer
	lines := r.Header["X-Forwarded-For"]
	if !within(trusted, c.peer) {
		// HTTP/1.0 is what proxies speak that add nothing of the sort.
		c.forwarded = len(lines) > 0 || len(r.Header["Forwarded"]) > 0 || !r.ProtoAtLeast(1, 1)
		return c
	}
	c.trusted = true
	if len(lines) == 0 && len(r.Header["Forwarded"]) > 0 {
		c.addr = netip.Addr{}
		return c
	}
	if len(lines) == 0 {
		// The proxy itself, or anybody whose address it keeps to itself: the
		// address grants nothing.
		c.forwarded = true
		return c
	}
	hops := strings.Split(strings.Join(lines, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		addr, ok := hopAddr(field.Trim(hops[i]))
		if !ok {
			c.addr = netip.Addr{} // somebody, and not the proxy that says so
			break
		}
		c.addr = addr
		if !within(trusted, c.addr) {
			break
		}
	}
	return c
}

// hopAddr reads a member of X-Forwarded-For, which some proxies write with the
// port.
func hopAddr(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap().WithZone(""), err == nil
}

// peerAddr reads the address of a connection. One without, such as a Unix
// socket's, is the zero address, which lies in no network.
func peerAddr(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func within(networks []netip.Prefix, addr netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// appendForwarding appends what tells the origin where the request came from.
// What an untrusted peer claimed is replaced, not extended.
func (x *exchange) appendForwarding(dst field.Fields) field.Fields {
	// The host is the one that the cache key has, never what somebody else says
	// it was: a response must not depend on what does not tell it apart.
	scheme, host, chain := x.target.Scheme, x.target.Host, x.client.peer.String()
	if !x.client.peer.IsValid() {
		chain = "unknown"
	}
	if x.client.trusted {
		if prior := strings.Join(x.r.Header["X-Forwarded-For"], ", "); prior != "" {
			chain = prior + ", " + chain
		}
	}
	dst = dst.Add("X-Forwarded-For", chain).Add("X-Forwarded-Proto", scheme).Add("X-Forwarded-Host", host)
	if x.service.Forwarded {
		dst = dst.Add("Forwarded", x.forwarded(scheme))
	}
	return dst
}

// forwarded returns the Forwarded field (RFC 7239 section 4).
func (x *exchange) forwarded(scheme string) string {
	node := "unknown"
	if peer := x.client.peer; peer.Is6() {
		node = `"[` + peer.String() + `]"`
	} else if peer.IsValid() {
		node = peer.String()
	}
	element := "for=" + node + `;host="` + x.target.Host + `";proto=` + scheme
	if prior := x.r.Header["Forwarded"]; x.client.trusted && len(prior) > 0 {
		return strings.Join(prior, ", ") + ", " + element
	}
	return element
}
