package server

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// A load balancer that passes bytes on without reading HTTP says who its client
// is in a header of its own before the first byte of that client: the PROXY
// protocol, version 1 (a line of text) or 2 (binary).

const (
	proxyV1Prefix    = "PROXY "
	proxyV2Signature = "\r\n\r\n\x00\r\nQUIT\n"

	// maxProxyV1 is the longest line there can be, CRLF included, by the
	// protocol's own count.
	maxProxyV1 = 107
	// proxyV2Head is the fixed part of a binary header.
	proxyV2Head = 16
	// maxProxyHeader bounds a binary header. The addresses take 232 bytes at
	// most; what follows are notes of the proxy, of which the longest in use is
	// a client's certificate. It is also what is read at once.
	maxProxyHeader = pooledSize
)

// proxySubject is whom a PROXY header is about.
type proxySubject uint8

const (
	proxySelf      proxySubject = iota // the proxy itself: a check of its own
	proxyClient                        // a client with an address
	proxyAnonymous                     // a client of whom the proxy gives no IP address
)

// proxyHeader is what a PROXY header says.
type proxyHeader struct {
	subject proxySubject
	// Of a proxyClient, where it came from and what it connected to.
	source, destination netip.AddrPort
}

// parseProxyHeader looks at b, all that was received since the connection
// began. It returns the header and its size once its end is there, ok false if
// it is malformed, and size 0 with ok true where more is needed. The verdict
// does not depend on how the bytes were cut into pieces.
func parseProxyHeader(b []byte) (h proxyHeader, size int, ok bool) {
	switch {
	case beginsWith(b, proxyV1Prefix):
		return parseProxyV1(b)
	case beginsWith(b, proxyV2Signature):
		return parseProxyV2(b)
	}
	return proxyHeader{}, 0, false
}

// beginsWith tells whether b has the prefix or may come to have it.
func beginsWith(b []byte, prefix string) bool {
	n := min(len(b), len(prefix))
	return string(b[:n]) == prefix[:n]
}

func parseProxyV1(b []byte) (h proxyHeader, size int, ok bool) {
	window := b[:min(len(b), maxProxyV1)]
	end := bytes.IndexAny(window, "\r\n")
	if end < 0 || end+1 == len(window) && window[end] == '\r' {
		return h, 0, len(window) < maxProxyV1
	}
	if !bytes.HasPrefix(window[end:], []byte("\r\n")) {
		return h, 0, false
	}
	words := strings.Split(string(window[len(proxyV1Prefix):end]), " ")
	if words[0] == "UNKNOWN" { // whatever follows is to be ignored
		return proxyHeader{subject: proxyAnonymous}, end + 2, true
	}
	if len(words) != 5 {
		return h, 0, false
	}
	var ok1, ok2 bool
	h.subject = proxyClient
	h.source, ok1 = parseProxyV1Address(words[0], words[1], words[3])
	h.destination, ok2 = parseProxyV1Address(words[0], words[2], words[4])
	return h, end + 2, ok1 && ok2
}

func parseProxyV1Address(family, host, port string) (netip.AddrPort, bool) {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return netip.AddrPort{}, false
	}
	if family != "TCP4" && family != "TCP6" || addr.Is4() != (family == "TCP4") {
		return netip.AddrPort{}, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), true
}

// Commands and families of a binary header.
const (
	proxyV2Local = 0x20 // version 2 and the command LOCAL
	proxyV2Proxy = 0x21 // version 2 and the command PROXY

	proxyV2Unspec = 0
	proxyV2Inet   = 1
	proxyV2Inet6  = 2
	proxyV2Unix   = 3

	proxyV2MaxTransport = 2 // unspecified, stream, datagram
)

func parseProxyV2(b []byte) (h proxyHeader, size int, ok bool) {
	if len(b) < proxyV2Head {
		return h, 0, true
	}
	command, family, transport := b[12], b[13]>>4, b[13]&0xf
	length := int(binary.BigEndian.Uint16(b[14:]))
	if command != proxyV2Local && command != proxyV2Proxy || length > maxProxyHeader-proxyV2Head {
		return h, 0, false
	}
	if command == proxyV2Proxy && !validProxyV2(family, transport, length) {
		return h, 0, false
	}
	size = proxyV2Head + length
	if len(b) < size {
		return h, 0, true
	}
	if command == proxyV2Local { // the family is to be ignored
		return proxyHeader{subject: proxySelf}, size, true
	}
	return readProxyV2(family, transport, b[proxyV2Head:size]), size, true
}

// validProxyV2 tells whether a family and a transport are known and there is
// room for their addresses.
func validProxyV2(family, transport byte, length int) bool {
	sizes := [...]int{proxyV2Unspec: 0, proxyV2Inet: 12, proxyV2Inet6: 36, proxyV2Unix: 216}
	return int(family) < len(sizes) && transport <= proxyV2MaxTransport && length >= sizes[family]
}

// readProxyV2 reads the addresses at the beginning of b. What follows them is
// skipped: whatever the proxy says there of TLS or of itself has no meaning
// here. A datagram's addresses count as well: its client spoke HTTP/3.
func readProxyV2(family, transport byte, b []byte) proxyHeader {
	n := 4
	switch {
	case transport == 0 || family == proxyV2Unspec || family == proxyV2Unix:
		return proxyHeader{subject: proxyAnonymous}
	case family == proxyV2Inet6:
		n = 16
	}
	address := func(host, port []byte) netip.AddrPort {
		addr, _ := netip.AddrFromSlice(host)
		return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(port))
	}
	return proxyHeader{
		subject:     proxyClient,
		source:      address(b[:n], b[2*n:]),
		destination: address(b[n:2*n], b[2*n+2:]),
	}
}
