//go:build e2e

package test

import (
	"io"
	"strings"
	"testing"
)

// What two readers could understand in two ways is refused before anybody else
// reads it, and the connection ends.
func TestRefusedAtTheFront(t *testing.T) {
	t.Parallel()
	origin := startRaw(t, map[string]script{"/": func(x *exchange) bool {
		if _, err := io.Copy(io.Discard, x.Body); err != nil {
			return false
		}
		x.say(whole("content"))
		return true
	}})
	n := startNode(t, settings{origin: origin.url()})
	const behind = "GET /behind HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
	for _, c := range []struct {
		name, request string
		status        string
		says          string
	}{
		{"both length and coding", "POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "both Content-Length and Transfer-Encoding"},
		{"bare line feeds", "GET / HTTP/1.1\nHost: " + host + "\n\n", "400", "line feed without carriage return"},
		{"one bare line feed", "GET / HTTP/1.1\r\nHost: " + host + "\nX: y\r\n\r\n", "400", "line feed without carriage return"},
		{"two lengths", "POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello", "400", "repeated Content-Length"},
		{"a length twice", "POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400", "repeated Content-Length"},
		{"an invalid length", "POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: +5\r\n\r\nhello", "400", "invalid Content-Length"},
		{"a folded line", "GET / HTTP/1.1\r\nHost: " + host + "\r\nX: a\r\n b\r\n\r\n", "400", "folded field line"},
		{"a space before the colon", "GET / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length : 5\r\n\r\nhello", "400", "white space before the colon"},
		{"a NUL", "GET / HTTP/1.1\r\nHost: " + host + "\r\nX: a\x00b\r\n\r\n", "400", "invalid byte in a field value"},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", "400", "missing Host"},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: " + host + "\r\nHost: " + otherHost + "\r\n\r\n", "400", "repeated Host"},
		{"an unknown coding", "POST / HTTP/1.1\r\nHost: " + host + "\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501", "unknown transfer coding"},
		{"a huge head", "GET / HTTP/1.1\r\nHost: " + host + "\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", "431", "request head too large"},
		{"too many fields", "GET / HTTP/1.1\r\nHost: " + host + "\r\n" + strings.Repeat("X: y\r\n", 200) + "\r\n", "431", "too many field lines"},
		{"a long URL", "GET /" + strings.Repeat("x", 9<<10) + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n", "414", "request target too long"},
		{"a chunk of an invalid size", "POST / HTTP/1.1\r\nHost: " + host + "\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", "400", "body could not be read"},
	} {
		conn := n.dial()
		io.WriteString(conn, c.request+behind) // it may be closed before all is written
		got := conn.closed()
		if !strings.HasPrefix(got, "HTTP/1.1 "+c.status+" ") || !strings.Contains(got, c.says) {
			t.Errorf("%s: got %.300q", c.name, got)
		}
		if strings.Count(got, "HTTP/1.1 ") != 1 {
			t.Errorf("%s: more than one answer: %q", c.name, got)
		}
	}
	if origin.asked("/behind") != 0 {
		t.Error("a request behind a refused one reached the origin")
	}
	expect(t, "and a good request", n.get("/"), "200 MISS content")
}

func TestUnknownHost(t *testing.T) {
	t.Parallel()
	origin := startRaw(t, nil)
	n := startNode(t, settings{origin: origin.url()})
	for _, via := range transports[:2] {
		got := n.url(via, "http://unknown.example.test/")
		if got.status != 421 || !strings.Contains(string(got.body), `"unknown.example.test"`) {
			t.Errorf("%s: %v", via.name, got)
		}
	}
}

// A request is cached under the path that it was sent with, and the origin sees
// the same bytes: else one could put its answer in another's place.
func TestPathsArePassedOnAsTheyAre(t *testing.T) {
	t.Parallel()
	targets := make(chan string, 1)
	origin := startRaw(t, map[string]script{})
	origin.anyPath = func(x *exchange) bool {
		targets <- x.RequestURI
		x.say(whole(x.RequestURI))
		return true
	}
	n := startNode(t, settings{origin: origin.url()})
	for _, path := range []string{"/a%2Fb", "/a/b", "/a//b", "/./a/../b", "/%41", "/a|b\"c^%2f%41", "/a?", "/a?b=%20&b", "/a;b"} {
		got := n.get(path)
		if seen := within(t, "the origin is asked", targets); seen != path || string(got.body) != path || got.header.Get("X-Cache") != "MISS" {
			t.Errorf("asked for %q, the origin saw %q: %v", path, seen, got)
		}
	}
}
