package server

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// Heads as they come from real clients, which must not need the long way.
var commonHeads = map[string]string{
	"wrk":    wrkHead,
	"chrome": chromeHead,
	"curl":   "GET /a HTTP/1.1\r\nHost: a.example\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n",
	"curl -I -H": "HEAD /a?b=%zz HTTP/1.1\r\nHost: a.example:8443\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n" +
		"X-Empty:\r\n\r\n",
	"h2load --h1": "GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nuser-agent: h2load nghttp2/1.59.0\r\n\r\n",
	"ab -k with HTTP/1.1, hey, vegeta": "GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: Go-http-client/1.1\r\n" +
		"Accept-Encoding: gzip\r\n\r\n",
	"firefox": "GET /%E2%82%AC/x?q=a|b HTTP/1.1\r\nHost: www.example.com\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
		"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Sec-GPC: 1\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n" +
		"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nSec-Fetch-User: ?1\r\n" +
		"If-None-Match: W/\"5e-6\"\r\nPriority: u=0, i\r\n\r\n",
	"googlebot": "GET /robots.txt HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n" +
		"Accept: text/plain,text/html,*/*\r\nFrom: googlebot(at)googlebot.com\r\n" +
		"User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)\r\n" +
		"Accept-Encoding: gzip, deflate, br\r\n\r\n",
	"a browser behind nginx": "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 192.0.2.1, 2001:db8::1\r\n" +
		"X-Tab: a\tb\r\nX-UTF8: \xe2\x82\xac\r\nX-Spaces:   c d \t\r\n\r\n",
}

func scan(t testing.TB, text string, l Limits) (headVerdict, FastRequest) {
	t.Helper()
	l, err := l.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	var r FastRequest
	v := scanHead([]byte(text), &l, &r)
	return v, r
}

func TestCommonHeadsAreSimple(t *testing.T) {
	for name, text := range commonHeads {
		if v, _ := scan(t, text, Limits{}); v != simple {
			t.Errorf("%s: verdict %d of\n%s", name, v, text)
		}
	}
}

func TestWhatIsNotSimple(t *testing.T) {
	const line, host, end = "GET / HTTP/1.1\r\n", "Host: a\r\n", "\r\n"
	for _, tc := range []struct {
		head string
		want headVerdict
	}{
		// Strict and without a body, but for net/http.
		{line + host + "Connection: close\r\n" + end, bodyless},
		{line + host + "Connection: keep-alive, x\r\n" + end, bodyless},
		{line + host + "Connection:\r\n" + end, bodyless},
		{line + host + "Connection: upgrade\r\nUpgrade: websocket\r\n" + end, bodyless},
		{line + host + "upgrade: websocket\r\n" + end, bodyless},
		{line + host + "TE: trailers\r\n" + end, bodyless},
		{line + host + "pragma: no-cache\r\n" + end, bodyless},

		// For the strict parser to judge.
		{"", undecided}, {"\r\n\r\n", undecided}, {"GET /", undecided}, {"GET /\r\n\r\n", undecided}, {"HEAD \r\n\r\n", undecided},
		{"POST / HTTP/1.1\r\n" + host + end, undecided},
		{"get / HTTP/1.1\r\n" + host + end, undecided},
		{"GET / HTTP/1.0\r\n" + host + end, undecided},
		{"GET / HTTP/1.1 \r\n" + host + end, undecided},
		{"GET  / HTTP/1.1\r\n" + host + end, undecided},
		{"GET * HTTP/1.1\r\n" + host + end, undecided},
		{"GET http://a/ HTTP/1.1\r\n" + host + end, undecided},
		{"GET /# HTTP/1.1\r\n" + host + end, undecided},
		{"GET /%4 HTTP/1.1\r\n" + host + end, undecided},
		{"GET /%", undecided}, {"GET /%\r\n\r\n", undecided},
		{"GET /\x80 HTTP/1.1\r\n" + host + end, undecided},
		{line + end, undecided},
		{line + host + host + end, undecided},
		{line + "Host:\r\n" + end, undecided},
		{line + "Host: a_b..c\r\n" + end, undecided},
		{line + "Host: .a\r\n" + end, undecided},
		{line + "Host: a:b\r\n" + end, undecided},
		{line + "Host: a:123456\r\n" + end, undecided},
		{line + "Host: a/b\r\n" + end, undecided},
		{line + host + "Content-Length: 0\r\n" + end, undecided},
		{line + host + "transfer-encoding: chunked\r\n" + end, undecided},
		{line + host + "Expect: 100-continue\r\n" + end, undecided},
		{line + host + "Trailer: x\r\n" + end, undecided},
		{line + host + "X : y\r\n" + end, undecided},
		{line + host + " X: y\r\n" + end, undecided},
		{line + host + "X: y\r\n z\r\n" + end, undecided},
		{line + host + ": y\r\n" + end, undecided},
		{line + host + "X\r\n" + end, undecided},
		{line + host + "X: a\x00b\r\n" + end, undecided},
		{line + host + "X: 0123456789\x7f\r\n" + end, undecided},
		{line + host + "X: a\rb\r\n" + end, undecided},
		{line + host + "X: a\nY: b\r\n" + end, undecided},
		{line + host + "\n" + end, undecided},
		{line + host + end + "\r\n\r\n", undecided},
		{line + host + end + line + host + end, undecided},
		{"\r\n" + line + host + end, undecided},
		{http2Preface, undecided},
	} {
		if v, _ := scan(t, tc.head, Limits{}); v != tc.want {
			t.Errorf("verdict %d, want %d: %q", v, tc.want, tc.head)
		}
	}
}

// The limits are those of the strict parser, to the byte.
func TestSimpleHeadsAreHeldToTheLimits(t *testing.T) {
	limits := Limits{MaxHeaderBytes: 1024, MaxURLBytes: 100, MaxHeaderFields: 5}
	head := func(target, fields, filler int) string {
		return "GET /" + strings.Repeat("a", target-1) + " HTTP/1.1\r\nHost: a\r\n" +
			strings.Repeat("X: y\r\n", fields-2) + "Y: " + strings.Repeat("z", filler) + "\r\n\r\n"
	}
	small := len(head(1, 2, 0))
	for name, tc := range map[string]struct {
		head string
		want headVerdict
	}{
		"target":          {head(100, 2, 0), simple},
		"longer target":   {head(101, 2, 0), undecided},
		"fields":          {head(1, 5, 0), simple},
		"one field more":  {head(1, 6, 0), undecided},
		"head":            {head(1, 2, 1024-small), simple},
		"head and a byte": {head(1, 2, 1025-small), undecided},
	} {
		if v, _ := scan(t, tc.head, limits); v != tc.want {
			t.Errorf("%s: verdict %d", name, v)
		}
		l, _ := limits.withDefaults()
		h := newHead(&l)
		if _, reason := h.advance([]byte(tc.head)); (reason == "") != (tc.want == simple) {
			t.Errorf("%s: the strict parser says %q", name, reason)
		}
	}
}

// What is found simple or bodyless is strict, and net/http reads the same of it.
func FuzzFastHead(f *testing.F) {
	for _, text := range commonHeads {
		f.Add([]byte(text))
	}
	for _, tc := range refusedHeads {
		if len(tc.head) < 4096 {
			f.Add([]byte(tc.head))
		}
	}
	for _, s := range []string{
		get + get, lineHost + "Connection: keep-alive ,\tKeep-Alive\r\n\r\n", lineHost + "Connection: x, close\r\n\r\n",
		"GET //a:b%2f?%zz HTTP/1.1\r\nhost: A.b-c_d~:1\r\n\r\n", lineHost + "pragma: no-cache\r\nTE: trailers\r\n\r\n",
		lineHost + "X: 1234567\t\x7f\r\n\r\n", lineHost + "X:\t \xff 12345678\t \r\nY:\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		received := bytes.Clone(b)
		var r FastRequest
		verdict := scanHead(b, &fuzzLimits, &r)
		if !bytes.Equal(b, received) {
			t.Fatal("the head was written to")
		}
		if verdict == undecided {
			return
		}
		size, reason, h := judge(b, len(b))
		if size != len(b) || reason != "" || h.hasBody() {
			t.Fatalf("verdict %d, but the strict parser says %d of %d, %q, body %v", verdict, size, len(b), reason, h.hasBody())
		}
		compareHead(t, b, h)
		if verdict == simple {
			compareFast(t, b, &r)
		}
	})
}

func compareFast(t *testing.T, b []byte, r *FastRequest) {
	n, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Method != n.Method || r.Target != n.RequestURI || r.Host != n.Host {
		t.Errorf("%s %s at %s, net/http has %s %s at %s", r.Method, r.Target, r.Host, n.Method, n.RequestURI, n.Host)
	}
	if n.Close || n.ContentLength != 0 || n.ProtoMinor != 1 {
		t.Errorf("net/http has close %v, length %d, HTTP/1.%d", n.Close, n.ContentLength, n.ProtoMinor)
	}
	if _, ok := field.NormalHost("", r.Host); !ok {
		t.Errorf("Host %q", r.Host)
	}
	n.Header.Del("Connection")
	mine := http.Header{}
	for _, f := range r.Fields {
		mine.Add(f.Name, f.Value)
	}
	if len(mine) != len(n.Header) {
		t.Errorf("fields %q, net/http has %q", mine, n.Header)
	}
	for name, values := range n.Header {
		if strings.Join(mine[name], "\n") != strings.Join(values, "\n") {
			t.Errorf("%s: %q, net/http has %q", name, mine[name], values)
		}
	}
}
