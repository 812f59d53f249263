package server

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// fuzzLimits are small, so that fuzzing reaches them.
var fuzzLimits = Limits{MaxHeaderBytes: 512, MaxURLBytes: 64, MaxHeaderFields: 8}

// judge gives a head its bytes in pieces and returns the first verdict.
func judge(b []byte, piece int) (size int, reason event.RefusedReason, h head) {
	h = newHead(&fuzzLimits)
	for n := piece; ; n += piece {
		size, reason = h.advance(b[:min(n, len(b))])
		if size > 0 || reason != "" || n >= len(b) {
			return size, reason, h
		}
	}
}

// Whatever the head parser lets through, net/http understands, and understands
// alike. And the verdict does not depend on how the bytes arrive.
func FuzzHead(f *testing.F) {
	for _, tc := range refusedHeads {
		if len(tc.head) < 4096 {
			f.Add([]byte(tc.head))
		}
	}
	for _, s := range []string{
		get, chunkedPost, post + "Content-Length: 5\r\n\r\nhello", "GET / HTTP/1.0\r\n\r\n",
		"GET http://a.example/b?c HTTP/1.1\r\nHost: a.example:80\r\n\r\n",
		"GET http://[::1]:80?x HTTP/1.1\r\nHost: [::1]\r\n\r\n",
		"GET http://[:::]/ HTTP/1.1\r\nHost: [:::]\r\n\r\n",
		"CONNECT [::1]:1 HTTP/1.1\r\nHost: [::1]:1\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "GET //a:b%2f?%zz HTTP/1.1\r\nhost: a\r\n\r\n",
		chunkedPost[:len(chunkedPost)-2] + "Trailer: a, ,b\r\nExpect: 100-continue\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		size, reason, h := judge(b, max(len(b), 1))
		for _, piece := range []int{1, 3} {
			if s, r, _ := judge(b, piece); s != size || r != reason {
				t.Fatalf("whole: %d %q, in pieces of %d: %d %q", size, reason, piece, s, r)
			}
		}
		if reason != "" || size == 0 {
			return
		}
		if size > len(b) || !bytes.HasSuffix(b[:size], []byte("\r\n\r\n")) {
			t.Fatalf("size %d of %q", size, b)
		}
		compareHead(t, b[:size], h)
	})
}

func compareHead(t *testing.T, b []byte, h head) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatalf("net/http refuses: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\r\n\r\n"), "\r\n")
	if first := r.Method + " " + r.RequestURI + " " + r.Proto; first != lines[0] {
		t.Errorf("request line %q, net/http has %q", lines[0], first)
	}
	length := h.length
	if h.chunked {
		length = -1
	}
	if r.ContentLength != length || len(r.TransferEncoding) > 0 != h.chunked {
		t.Errorf("framing: length %d, net/http has %d %q", length, r.ContentLength, r.TransferEncoding)
	}
	want := http.Header{}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ":")
		want.Add(name, field.Trim(value))
	}
	host, _ := field.NormalHost(h.scheme, r.Host)
	if h.hosts > 0 {
		if mine, _ := field.NormalHost(h.scheme, h.host); mine != host {
			t.Errorf("Host %q, net/http has %q", h.host, r.Host)
		}
	}
	// net/http takes these out of the header.
	want.Del("Host")
	r.Header.Del("Host")
	want.Del("Transfer-Encoding")
	if h.chunked {
		want.Del("Trailer")
	}
	if _, ok := want["Pragma"]; ok {
		r.Header.Del("Cache-Control")
		want.Del("Cache-Control") // net/http derives one from Pragma
	}
	if !reflect.DeepEqual(r.Header, want) {
		t.Errorf("fields %q, net/http has %q", want, r.Header)
	}
}

// follow gives a body its bytes in pieces and returns where it ends.
func follow(b []byte, piece int) (n int, done bool, reason event.RefusedReason) {
	var c chunks
	for len(b) > n && !done && reason == "" {
		var m int
		m, done, reason = c.advance(b[n:min(n+piece, len(b))])
		n += m
	}
	return n, done, reason
}

// Whatever the chunked tracker lets through, net/http reads to the same end.
func FuzzChunks(f *testing.F) {
	for _, tc := range refusedBodies {
		f.Add([]byte(tc.body))
	}
	for _, s := range []string{
		"5\r\nhello\r\n0\r\n\r\n", "1;a\r\nx\r\n00\r\nX: y\r\nX: z\r\n\r\n", "0;a=b\r\n\r\nGET / HTTP/1.1\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, done, reason := follow(b, max(len(b), 1))
		for _, piece := range []int{1, 3} {
			if n2, d, r := follow(b, piece); n2 != n || d != done || r != reason {
				t.Fatalf("whole: %d %v %q, in pieces of %d: %d %v %q", n, done, reason, piece, n2, d, r)
			}
		}
		if !done {
			return
		}
		const behind = "GET /behind"
		in := bufio.NewReader(io.MultiReader(strings.NewReader(chunkedPost), bytes.NewReader(b[:n]), strings.NewReader(behind)))
		r, err := http.ReadRequest(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Fatalf("net/http cannot read %q: %v", b[:n], err)
		}
		if rest, _ := io.ReadAll(in); string(rest) != behind {
			t.Fatalf("net/http ends %q elsewhere: %q is left", b[:n], rest)
		}
	})
}

// FuzzConn drives a whole wrapped connection: net/http must get nothing but
// requests that the parsers let through, and never answer by itself.
func FuzzConn(f *testing.F) {
	f.Add([]byte(get+get), uint8(1))
	f.Add([]byte(chunkedPost+"5\r\nhello\r\n0\r\n\r\n\r\n"+get), uint8(0))
	f.Add([]byte(post+"Content-Length: 5\r\n\r\nhello"+smuggled+"GET / HTTP/1.1\n\n"), uint8(3))
	f.Add([]byte(http2Preface), uint8(5))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		c := wrapped(t, &scripted{in: b, piece: int(piece) + 1})
		in := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				if err != io.EOF {
					t.Fatalf("net/http sees %v in %q", err, b)
				}
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			c.rest()
		}
	})
}
