package server

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// binaryHeader makes a PROXY header of version 2.
func binaryHeader(command, family byte, rest ...string) string {
	body := strings.Join(rest, "")
	length := binary.BigEndian.AppendUint16(nil, uint16(len(body)))
	return proxyV2Signature + string([]byte{command, family}) + string(length) + body
}

const (
	inet4 = "\xc0\x00\x02\x07" + "\x0a\x00\x00\x05" + "\x30\x39" + "\x01\xbb" // 192.0.2.7:12345 to 10.0.0.5:443
	inet6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05" + "\x30\x39" + "\x01\xbb"
	mapped4 = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x07" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x0a\x00\x00\x05" + "\x30\x39" + "\x01\xbb"
	// What a proxy that ended TLS says of it: client flags, verified, "TLSv1.3".
	tlsNote = "\x20\x00\x0f\x01\x00\x00\x00\x00\x21\x00\x07TLSv1.3"
)

// proxyHeaders are good ones, and what they say.
var proxyHeaders = []struct {
	name, header string
	subject      proxySubject
	source, to   string // of a proxyClient
}{
	{"text, IPv4", "PROXY TCP4 192.0.2.7 10.0.0.5 12345 443\r\n", proxyClient, "192.0.2.7:12345", "10.0.0.5:443"},
	{"text, IPv6", "PROXY TCP6 2001:db8::7 2001:db8::5 0 65535\r\n", proxyClient, "[2001:db8::7]:0", "[2001:db8::5]:65535"},
	{"text, IPv4 in IPv6", "PROXY TCP6 ::ffff:192.0.2.7 ::ffff:10.0.0.5 1 2\r\n", proxyClient, "192.0.2.7:1", "10.0.0.5:2"},
	{
		"text, as long as it can be",
		"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", proxyClient,
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	},
	{"text, unknown", "PROXY UNKNOWN\r\n", proxyAnonymous, "", ""},
	{"text, unknown with more", "PROXY UNKNOWN 192.0.2.7 10.0.0.5 1 2 whatever\r\n", proxyAnonymous, "", ""},
	{"text, unknown and longest", "PROXY UNKNOWN " + strings.Repeat("x", maxProxyV1-16) + "\r\n", proxyAnonymous, "", ""},
	{"binary, IPv4", binaryHeader(0x21, 0x11, inet4), proxyClient, "192.0.2.7:12345", "10.0.0.5:443"},
	{"binary, IPv6", binaryHeader(0x21, 0x21, inet6), proxyClient, "[2001:db8::7]:12345", "[2001:db8::5]:443"},
	{"binary, IPv4 in IPv6", binaryHeader(0x21, 0x21, mapped4), proxyClient, "192.0.2.7:12345", "10.0.0.5:443"},
	{"binary, datagrams", binaryHeader(0x21, 0x12, inet4), proxyClient, "192.0.2.7:12345", "10.0.0.5:443"},
	{"binary, with notes", binaryHeader(0x21, 0x11, inet4, tlsNote, "\x05\x00\x02id"), proxyClient, "192.0.2.7:12345", "10.0.0.5:443"},
	{
		"binary, longest", binaryHeader(0x21, 0x11, inet4, strings.Repeat("\x04", maxProxyHeader-proxyV2Head-len(inet4))),
		proxyClient, "192.0.2.7:12345", "10.0.0.5:443",
	},
	{"binary, local", binaryHeader(0x20, 0), proxySelf, "", ""},
	{"binary, local with more", binaryHeader(0x20, 0x11, inet4, tlsNote), proxySelf, "", ""},
	{"binary, local of a family to come", binaryHeader(0x20, 0x95, "x"), proxySelf, "", ""},
	{"binary, unspecified", binaryHeader(0x21, 0), proxyAnonymous, "", ""},
	{"binary, unspecified with notes", binaryHeader(0x21, 0, tlsNote), proxyAnonymous, "", ""},
	{"binary, unspecified transport", binaryHeader(0x21, 0x10, inet4), proxyAnonymous, "", ""},
	{"binary, Unix socket", binaryHeader(0x21, 0x31, strings.Repeat("\x00", 216)), proxyAnonymous, "", ""},
}

// malformedProxyHeaders are to be refused.
var malformedProxyHeaders = []struct{ name, header string }{
	{"none", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"TLS", "\x16\x03\x01\x02\x00"},
	{"lower case", "proxy TCP4 192.0.2.7 10.0.0.5 1 2\r\n"},
	{"bare LF", "PROXY TCP4 192.0.2.7 10.0.0.5 1 2\n"},
	{"bare CR", "PROXY TCP4 192.0.2.7 10.0.0.5 1 2\rGET"},
	{"nothing said", "PROXY \r\n"},
	{"unknown family", "PROXY UDP4 192.0.2.7 10.0.0.5 1 2\r\n"},
	{"unknown family, lower case", "PROXY unknown\r\n"},
	{"one address", "PROXY TCP4 192.0.2.7 1\r\n"},
	{"one word too many", "PROXY TCP4 192.0.2.7 10.0.0.5 1 2 3\r\n"},
	{"two spaces", "PROXY TCP4  192.0.2.7 10.0.0.5 1 2\r\n"},
	{"space at the end", "PROXY TCP4 192.0.2.7 10.0.0.5 1 2 \r\n"},
	{"tab", "PROXY TCP4\t192.0.2.7 10.0.0.5 1 2\r\n"},
	{"wrong family", "PROXY TCP4 2001:db8::7 2001:db8::5 1 2\r\n"},
	{"mixed families", "PROXY TCP6 2001:db8::7 10.0.0.5 1 2\r\n"},
	{"a name", "PROXY TCP4 a.example 10.0.0.5 1 2\r\n"},
	{"zeros in front of an octet", "PROXY TCP4 192.0.02.7 10.0.0.5 1 2\r\n"},
	{"a zone", "PROXY TCP6 fe80::1%lo fe80::2 1 2\r\n"},
	{"port too great", "PROXY TCP4 192.0.2.7 10.0.0.5 65536 2\r\n"},
	{"port with a sign", "PROXY TCP4 192.0.2.7 10.0.0.5 +1 2\r\n"},
	{"port with a zero in front", "PROXY TCP4 192.0.2.7 10.0.0.5 01 2\r\n"},
	{"port empty", "PROXY TCP4 192.0.2.7 10.0.0.5  2\r\n"},
	{"too long", "PROXY UNKNOWN " + strings.Repeat("x", maxProxyV1-15) + "\r\n"},
	{"endless", "PROXY UNKNOWN " + strings.Repeat("x", 1<<17)},
	{"bad signature", "\r\n\r\n\x00\r\nQUIZ\n\x21\x11\x00\x0c" + inet4},
	{"version 1 in binary", binaryHeader(0x11, 0x11, inet4)},
	{"version 3", binaryHeader(0x31, 0x11, inet4)},
	{"unknown command", binaryHeader(0x22, 0x11, inet4)},
	{"unknown binary family", binaryHeader(0x21, 0x41, inet6)},
	{"unknown transport", binaryHeader(0x21, 0x13, inet4)},
	{"no room for IPv4", binaryHeader(0x21, 0x11, inet4[:11])},
	{"no room for IPv6", binaryHeader(0x21, 0x21, inet6[:35])},
	{"no room for a path", binaryHeader(0x21, 0x31, inet6)},
	{"too long in binary", binaryHeader(0x21, 0x11, inet4, strings.Repeat("\x04", maxProxyHeader-proxyV2Head-len(inet4)+1))},
	{"longest that can be said", binaryHeader(0x20, 0, strings.Repeat("\x04", 0xffff))},
}

func TestProxyHeaders(t *testing.T) {
	for _, tc := range proxyHeaders {
		h, size, ok := parseProxyHeader([]byte(tc.header + get))
		if !ok || size != len(tc.header) || h.subject != tc.subject {
			t.Errorf("%s: %+v, size %d, %v", tc.name, h, size, ok)
			continue
		}
		want := proxyHeader{subject: tc.subject}
		if tc.subject == proxyClient {
			want.source, want.destination = netip.MustParseAddrPort(tc.source), netip.MustParseAddrPort(tc.to)
		}
		if h != want {
			t.Errorf("%s: %v", tc.name, h)
		}
		for n := range len(tc.header) {
			if _, size, ok := parseProxyHeader([]byte(tc.header[:n])); size != 0 || !ok {
				t.Fatalf("%s: after %d bytes: size %d, %v", tc.name, n, size, ok)
			}
		}
	}
	for _, tc := range malformedProxyHeaders {
		if h, size, ok := parseProxyHeader([]byte(tc.header)); ok {
			t.Errorf("%s: %+v, size %d", tc.name, h, size)
		}
	}
}

// FuzzProxyHeader holds that the verdict does not depend on how the bytes
// arrive, that nothing behind a header is looked at, and that what was read can
// be written and read again.
func FuzzProxyHeader(f *testing.F) {
	for _, tc := range proxyHeaders {
		f.Add([]byte(tc.header + get))
	}
	for _, tc := range malformedProxyHeaders {
		f.Add([]byte(tc.header)[:min(len(tc.header), maxProxyHeader+1)])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, size, ok := parseProxyHeader(b)
		for n := 0; n <= len(b); n++ {
			part, partSize, partOK := parseProxyHeader(b[:n])
			if partOK && partSize == 0 {
				continue
			}
			if part != h || partSize != size || partOK != ok {
				t.Fatalf("whole: %+v %d %v, after %d bytes: %+v %d %v", h, size, ok, n, part, partSize, partOK)
			}
			break
		}
		if !ok || size == 0 {
			return
		}
		if size > len(b) || size > maxProxyHeader {
			t.Fatalf("size %d of %d bytes", size, len(b))
		}
		if again, n, ok := parseProxyHeader(b[:size]); again != h || n != size || !ok {
			t.Fatalf("alone: %+v %d %v", again, n, ok)
		}
		if h.subject == proxyClient && h.source.Addr().Is4() == h.destination.Addr().Is4() {
			line := writeProxyV1(h)
			if again, n, ok := parseProxyHeader([]byte(line)); again != h || n != len(line) || !ok {
				t.Fatalf("%q: %+v %d %v, want %+v", line, again, n, ok, h)
			}
		}
	})
}

func writeProxyV1(h proxyHeader) string {
	family := "TCP4"
	if h.source.Addr().Is6() {
		family = "TCP6"
	}
	return fmt.Sprintf("PROXY %s %s %s %d %d\r\n", family, h.source.Addr(), h.destination.Addr(), h.source.Port(), h.destination.Port())
}
