package server

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rescind-edge/rescind/internal/event"
)

const line = "GET /a HTTP/1.1\r\n"
const lineHost = line + "Host: a.example\r\n"
const post = "POST /a HTTP/1.1\r\nHost: a.example\r\n"

// refusedHeads are heads that are refused, and why. Behind each comes a second
// request, which must not be handled.
var refusedHeads = []struct {
	name   string
	head   string
	status int
	reason event.RefusedReason
}{
	{"bare LF everywhere", "GET /a HTTP/1.1\nHost: a.example\n\n", 400, event.RefusedBareLF},
	{"bare LF after the request line", "GET /a HTTP/1.1\nHost: a.example\r\n\r\n", 400, event.RefusedBareLF},
	{"bare LF after a field", line + "Host: a.example\n\r\n", 400, event.RefusedBareLF},
	{"bare LF at the end", lineHost + "\n", 400, event.RefusedBareLF},
	{"bare CR in the request line", "GET /a\rb HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedBareCR},
	{"bare CR for line ends", "GET /a HTTP/1.1\rHost: a.example\r\r", 400, event.RefusedBareCR},
	{"bare CR in a value", lineHost + "X: a\rb\r\n\r\n", 400, event.RefusedBareCR},
	{"CR CR LF", lineHost + "X: a\r\r\n\r\n", 400, event.RefusedBareCR},
	{"folded value", lineHost + "X: a\r\n b\r\n\r\n", 400, event.RefusedFolding},
	{"folded by a tab", lineHost + "X: a\r\n\tb\r\n\r\n", 400, event.RefusedFolding},
	{"folded first field", line + " Host: a.example\r\n\r\n", 400, event.RefusedFolding},
	{"space before colon", post + "Content-Length : 5\r\n\r\nhello", 400, event.RefusedSpaceBeforeColon},
	{"tab before colon", post + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400, event.RefusedSpaceBeforeColon},
	{"space in a name", lineHost + "Content Length: 5\r\n\r\n", 400, event.RefusedInvalidFieldName},
	{"no colon", lineHost + "Nothing\r\n\r\n", 400, event.RefusedInvalidFieldName},
	{"empty name", lineHost + ": x\r\n\r\n", 400, event.RefusedInvalidFieldName},
	{"NUL in a name", lineHost + "A\x00B: x\r\n\r\n", 400, event.RefusedInvalidFieldName},
	{"high byte in a name", lineHost + "\xc3\xa4: x\r\n\r\n", 400, event.RefusedInvalidFieldName},
	{"NUL in a value", lineHost + "X: a\x00b\r\n\r\n", 400, event.RefusedInvalidFieldValue},
	{"escape in a value", lineHost + "X: \x1b[0m\r\n\r\n", 400, event.RefusedInvalidFieldValue},
	{"delete in a value", lineHost + "X: \x7f\r\n\r\n", 400, event.RefusedInvalidFieldValue},

	{"length and coding", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, event.RefusedLengthAndCoding},
	{"coding and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, event.RefusedLengthAndCoding},
	{"zero length and coding", post + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, event.RefusedLengthAndCoding},
	{"two lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, event.RefusedRepeatedLength},
	{"two equal lengths", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, event.RefusedRepeatedLength},
	{"list of lengths", post + "Content-Length: 5, 5\r\n\r\nhello", 400, event.RefusedInvalidLength},
	{"plus length", post + "Content-Length: +5\r\n\r\nhello", 400, event.RefusedInvalidLength},
	{"minus length", post + "Content-Length: -5\r\n\r\nhello", 400, event.RefusedInvalidLength},
	{"hexadecimal length", post + "Content-Length: 0x5\r\n\r\nhello", 400, event.RefusedInvalidLength},
	{"spaced length", post + "Content-Length: 5 5\r\n\r\nhello", 400, event.RefusedInvalidLength},
	{"empty length", post + "Content-Length: \r\n\r\n", 400, event.RefusedInvalidLength},
	{"overflowing length", post + "Content-Length: 9223372036854775808\r\n\r\n", 400, event.RefusedInvalidLength},
	{"length that wraps", post + "Content-Length: 18446744073709551621\r\n\r\nhello", 400, event.RefusedInvalidLength},
	{"two codings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, event.RefusedInvalidCoding},
	{"chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, event.RefusedInvalidCoding},
	{"chunked not last", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400, event.RefusedInvalidCoding},
	{"identity", post + "Transfer-Encoding: identity\r\n\r\n", 400, event.RefusedInvalidCoding},
	{"nearly chunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, event.RefusedInvalidCoding},
	{"quoted chunked", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400, event.RefusedInvalidCoding},
	{"chunked with a Kelvin sign", post + "Transfer-Encoding: chun\u212aed\r\n\r\n0\r\n\r\n", 400, event.RefusedInvalidCoding},
	{"vertical tab chunked", post + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400, event.RefusedInvalidFieldValue},
	{"empty coding", post + "Transfer-Encoding:\r\n\r\n", 400, event.RefusedInvalidCoding},
	{"another coding", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, event.RefusedUnknownCoding},
	{"coding in HTTP/1.0", "POST /a HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, event.RefusedCodingInHTTP10},
	{"framing field announced", post + "Transfer-Encoding: chunked\r\nTrailer: X, content-length\r\n\r\n0\r\n\r\n", 400, event.RefusedTrailerField},

	{"no Host", line + "\r\n", 400, event.RefusedMissingHost},
	{"two Hosts", lineHost + "Host: a.example\r\n\r\n", 400, event.RefusedRepeatedHost},
	{"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, event.RefusedRepeatedHost},
	{"empty Host", line + "Host:\r\n\r\n", 400, event.RefusedInvalidHost},
	{"Host with a path", line + "Host: a.example/b\r\n\r\n", 400, event.RefusedInvalidHost},
	{"Host with userinfo", line + "Host: u@a.example\r\n\r\n", 400, event.RefusedInvalidHost},
	{"Host list", line + "Host: a.example, b.example\r\n\r\n", 400, event.RefusedInvalidHost},
	{"absolute form disagrees", "GET http://b.example/a HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedHostMismatch},
	{"absolute form, other port", "GET http://a.example:81/a HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedHostMismatch},

	{"no version", "GET /a\r\nHost: a.example\r\n\r\n", 400, event.RefusedRequestLine},
	{"two spaces", "GET  /a HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedRequestLine},
	{"space in the target", "GET /a b HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedRequestLine},
	{"space at the end", "GET /a HTTP/1.1 \r\nHost: a.example\r\n\r\n", 400, event.RefusedRequestLine},
	{"space in front", " GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedRequestLine},
	{"tab for space", "GET\t/a HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedMethod},
	{"two empty lines first", "\r\n\r\n" + get, 400, event.RefusedRequestLine},
	{"lower-case version", "GET /a http/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedRequestLine},
	{"HTTP/1.10", "GET /a HTTP/1.10\r\nHost: a.example\r\n\r\n", 400, event.RefusedRequestLine},
	{"HTTP/1.2", "GET /a HTTP/1.2\r\nHost: a.example\r\n\r\n", 505, event.RefusedUnsupportedVersion},
	{"HTTP/2.0", "GET /a HTTP/2.0\r\nHost: a.example\r\n\r\n", 505, event.RefusedUnsupportedVersion},
	{"half a preface", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 505, event.RefusedUnsupportedVersion},
	{"method in braces", "G{T /a HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedMethod},
	{"TLS on a cleartext port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, event.RefusedMethod},
	{"NUL in the target", "GET /\x00 HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"high byte in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"fragment", "GET /a#b HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"bad escape", "GET /a%zz HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"cut escape", "GET /a%2 HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"relative target", "GET a HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"asterisk for GET", "GET * HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"other scheme", "GET ftp://a.example/a HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"userinfo in the target", "GET http://u@a.example/a HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"CONNECT without a port", "CONNECT a.example HTTP/1.1\r\nHost: a.example\r\n\r\n", 400, event.RefusedTarget},
	{"unknown expectation", post + "Expect: tea\r\nContent-Length: 5\r\n\r\nhello", 417, event.RefusedUnknownExpect},
	{"two expectations", post + "Expect: 100-continue, tea\r\nContent-Length: 5\r\n\r\nhello", 417, event.RefusedUnknownExpect},

	{"long method", strings.Repeat("M", maxMethodBytes+1) + " /a HTTP/1.1\r\nHost: a.example\r\n\r\n", 501, event.RefusedMethodTooLong},
	{"long target", "GET /" + strings.Repeat("a", defaultURLBytes) + " HTTP/1.1\r\nHost: a.example\r\n\r\n", 414, event.RefusedTargetTooLong},
	{"endless target", "GET /" + strings.Repeat("a", 2*defaultURLBytes), 414, event.RefusedTargetTooLong},
	{"many fields", lineHost + strings.Repeat("X: y\r\n", defaultHeaderFields) + "\r\n", 431, event.RefusedTooManyFields},
	{"large field", lineHost + "X: " + strings.Repeat("y", defaultHeaderBytes) + "\r\n\r\n", 431, event.RefusedHeadTooLarge},
}

func TestAmbiguousHeadsAreRefused(t *testing.T) {
	for _, tc := range refusedHeads {
		for _, size := range []int{0, 1, 7} {
			if size == 1 && len(tc.head) > 20_000 {
				continue // as good as the others, and slow
			}
			t.Run(fmt.Sprintf("%s/%d", tc.name, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := start(t, false, Config{})
					checkRefused(t, f, tc.head, size, tc.status, tc.reason)
				})
			})
		}
		t.Run(tc.name+"/TCP", func(t *testing.T) {
			f := start(t, true, Config{})
			checkRefused(t, f, tc.head, 0, tc.status, tc.reason)
		})
	}
}

// checkRefused sends a head with a second request behind it, in one connection
// with a good request before it and in one without.
func checkRefused(t *testing.T, f *fixture, head string, size, status int, reason event.RefusedReason) {
	for i, before := range []string{"", get} {
		c := f.connect()
		c.send(before+head+smuggled, size)
		if before != "" {
			if r, body := c.response(); r.StatusCode != 200 || body != "GET /a " {
				t.Fatalf("the request before was answered %d %q", r.StatusCode, body)
			}
		}
		r, body := c.response()
		if r.StatusCode != status || !r.Close {
			t.Errorf("answered %d, close %v", r.StatusCode, r.Close)
		}
		if !strings.Contains(body, string(reason)) {
			t.Errorf("body %q does not say %q", body, reason)
		}
		c.wantEnd()
		if f.handled("/smuggled") || len(f.requests()) != i {
			t.Errorf("handled: %q", f.requests())
		}
		refusals := f.refusals()
		if len(refusals) != i+1 {
			t.Fatalf("events: %+v", refusals)
		}
		if e := refusals[i]; e.Reason != reason || e.Status != status || e.Time.IsZero() {
			t.Errorf("event: %+v", e)
		}
	}
}

func TestUnusualHeadsAreAccepted(t *testing.T) {
	for _, tc := range []struct{ name, head, want string }{
		{"HTTP/1.0 without Host", "GET /a HTTP/1.0\r\n\r\n", "GET /a "},
		{"no fields but Host", get, "GET /a "},
		{"an empty line first", "\r\n" + get, "GET /a "},
		{"no space after colon", line + "Host:a.example\r\n\r\n", "GET /a "},
		{"tabs around a value", lineHost + "X:\t y\t\r\n\r\n", "GET /a "},
		{"empty value", lineHost + "X:\r\n\r\n", "GET /a "},
		{"high bytes in a value", lineHost + "X: \xc3\xa4\r\n\r\n", "GET /a "},
		{"bytes that browsers send", "GET /a|b\"c^%2f%41?x=[y]&z=% HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a|b\"c^%2f%41?x=[y]&z=% "},
		{"double slash", "GET //b/c HTTP/1.1\r\nHost: a\r\n\r\n", "GET //b/c "},
		{"absolute form", "GET http://A.example:80/a HTTP/1.1\r\nHost: a.EXAMPLE\r\n\r\n", "GET http://A.example:80/a "},
		{"absolute form with a query only", "GET http://a.example?b HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET http://a.example?b "},
		{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * "},
		{"CONNECT", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", "CONNECT a.example:443 "},
		{"unknown method", "PURGE /a HTTP/1.1\r\nHost: a\r\n\r\n", "PURGE /a "},
		{"IPv6 Host", line + "Host: [::1]:8080\r\n\r\n", "GET /a "},
		{"length", post + "Content-Length: 005\r\n\r\nhello", "POST /a hello"},
		{"empty body", post + "Content-Length: 0\r\n\r\n", "POST /a "},
		{"coding in capitals", post + "transfer-encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "POST /a hello"},
		{"length in HTTP/1.0", "POST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "POST /a hello"},
		{"longest target", "GET /" + strings.Repeat("a", defaultURLBytes-1) + " HTTP/1.1\r\nHost: a\r\n\r\n", "GET /" + strings.Repeat("a", defaultURLBytes-1) + " "},
		{"most fields", lineHost + strings.Repeat("X: y\r\n", defaultHeaderFields-1) + "\r\n", "GET /a "},
		{"largest head", lineHost + "X: " + strings.Repeat("y", defaultHeaderBytes-len(lineHost)-len("X: \r\n\r\n")) + "\r\n\r\n", "GET /a "},
	} {
		for _, size := range []int{0, 1, 1000} {
			t.Run(fmt.Sprintf("%s/%d", tc.name, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := start(t, false, Config{})
					c := f.connect()
					c.send(tc.head, size)
					if r, body := c.response(); r.StatusCode != 200 || body != tc.want {
						t.Errorf("%d %.200q", r.StatusCode, body)
					}
					if len(f.refusals()) > 0 {
						t.Errorf("events: %+v", f.refusals())
					}
				})
			})
		}
	}
}

// A client that goes on sending still gets to read why it was refused: the
// connection is not reset under the answer.
func TestRefusalIsNotLostToAReset(t *testing.T) {
	f := start(t, true, Config{})
	for range 5 {
		c := f.connect()
		io.WriteString(c, post+"Content-Length: x\r\n\r\n")
		for range 10 {
			if _, err := io.WriteString(c, strings.Repeat("x", 10_000)); err != nil {
				t.Fatal(err)
			}
		}
		if r, _ := c.response(); r.StatusCode != 400 {
			t.Errorf("%d", r.StatusCode)
		}
		c.Close()
	}
}

// What a client sent reaches logs escaped and cut.
func TestRefusalsAreSafeToPrint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{})
		c := f.connect()
		c.send("GET /\x1b[31m\"\xff"+strings.Repeat("a", 1000)+" HTTP/1.1\r\n\r\n", 0)
		c.response()
		e := f.refusals()[0]
		want := `/\x1b[31m"\xff` + strings.Repeat("a", maxSubjectTarget-len("/\x1b[31m\"\xff"))
		if e.Method != "GET" || e.Target != want {
			t.Errorf("%q %q", e.Method, e.Target)
		}
		if e.Remote != "pipe" || e.Local != "pipe" {
			t.Errorf("from %q on %q", e.Remote, e.Local)
		}
	})
}
