package proxy

import (
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

// clientFrom takes the address from the connection. Only where the peer is
// trusted does X-Forwarded-For count: the last address in it that is not a
// trusted proxy's itself.
func clientFrom(peer netip.Addr, http11 bool, lines field.Fields, trusted []netip.Prefix) client {
	c := client{peer: peer, addr: peer}
	chained, forwarded := lines.Has("X-Forwarded-For"), lines.Has("Forwarded")
	if !within(trusted, peer) {
		// HTTP/1.0 is what proxies speak that add nothing of the sort.
		c.forwarded = chained || forwarded || !http11
		return c
	}
	c.trusted = true
	switch {
	case chained:
		c.addr = lastUntrusted(lines, trusted)
	case forwarded:
		c.addr = netip.Addr{}
	default:
		// The proxy itself, or anybody whose address it keeps to itself: the
		// address grants nothing.
		c.forwarded = true
	}
	return c
}

// through returns the client of a request that comes through another node of the
// cluster, which says who it is.
func (a *ask) through(trusted []netip.Prefix) client {
	c := client{peer: a.peer, addr: a.peer, trusted: true}
	if a.lines.Has("X-Forwarded-For") {
		c.addr = lastUntrusted(a.lines, trusted)
	}
	return c
}

// lastUntrusted returns the last address in X-Forwarded-For that is not a
// trusted proxy's, the first where all are, and none where it meets something
// else: that is somebody, and not the proxy that says so.
func lastUntrusted(lines field.Fields, trusted []netip.Prefix) (addr netip.Addr) {
	for i := len(lines) - 1; i >= 0; i-- {
		if !field.EqualFold(lines[i].Name, "X-Forwarded-For") {
			continue
		}
		for rest, more := lines[i].Value, true; more; {
			var hop string
			rest, hop, more = cutLast(rest)
			var ok bool
			if addr, ok = hopAddr(field.Trim(hop)); !ok {
				return netip.Addr{}
			}
			if !within(trusted, addr) {
				return addr
			}
		}
	}
	return addr
}

// cutLast cuts the last member off a list.
func cutLast(list string) (rest, last string, more bool) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], list[i+1:], true
	}
	return "", list, false
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
		if prior, _ := x.ask.lines.Joined("X-Forwarded-For"); prior != "" {
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
	if prior, ok := x.ask.lines.Joined("Forwarded"); x.client.trusted && ok {
		return prior + ", " + element
	}
	return element
}
