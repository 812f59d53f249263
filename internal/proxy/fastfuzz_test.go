package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/compress"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/server"
)

// answering counts what the fast path answers.
type answering struct {
	*Proxy
	answers atomic.Int64
}

func (a *answering) ServeFast(w server.FastWriter, r *server.FastRequest) bool {
	ok := a.Proxy.ServeFast(w, r)
	if ok {
		a.answers.Add(1)
	}
	return ok
}

// serving starts a server on a listener in memory.
func serving(t testing.TB, handler http.Handler, fast server.FastHandler) *pipes {
	l := &pipes{conns: make(chan net.Conn)}
	s, err := server.New(server.Config{
		Handler: handler, Fast: fast, HTTPListeners: []server.Listener{{Listener: l}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return l
}

// exchange sends a request and returns the bytes of the answer.
func (p *pipes) exchange(t testing.TB, method, raw string) string {
	near, far := net.Pipe()
	p.conns <- named{far}
	defer near.Close()
	near.SetDeadline(time.Now().Add(10 * time.Second))
	go io.WriteString(near, raw)
	var got bytes.Buffer
	resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(near, &got)), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	io.Copy(io.Discard, resp.Body)
	return got.String()
}

// passing are the parts of an answer that differ from one moment to the next.
var passing = regexp.MustCompile(`(?m)^(Age: |Date: |X-Timer: |X-Cache-Hits: ).*\r$|ttl=-?\d+`)

// FuzzFastAnswers sends any head to a server with the fast path and to one
// without: what the fast path answers is, but for times and counts, what net/http
// would have sent, byte by byte.
func FuzzFastAnswers(f *testing.F) {
	s := newSite(f, func(_ *site, v *Service, _ *fetch.Config) {
		v.Domains = []string{"*"}
		v.Compression = Compression{Encodings: []compress.Encoding{compress.Gzip}}
	})
	s.origin(func(r *origin.Request) (*origin.Response, error) {
		switch {
		case strings.HasPrefix(r.Target.Path, "/none"):
			return response(404, "none", "Cache-Control: max-age=600"), nil
		case strings.HasPrefix(r.Target.Path, "/text"):
			return response(200, strings.Repeat("text ", 1000), "Cache-Control: max-age=600", "Content-Type: text/html", `ETag: "t"`), nil
		case strings.HasPrefix(r.Target.Path, "/private"):
			return response(200, "x", "Cache-Control: private"), nil
		}
		return response(200, "0123456789", "Cache-Control: max-age=600", `ETag: "e"`, "Last-Modified: Fri, 31 Dec 1999 23:59:00 GMT",
			"Vary: Accept-Language", "Via: 1.1 other", "X-Cache: HIT"), nil
	})
	fast := &answering{Proxy: s.proxy}
	quick, slow := serving(f, s.proxy, fast), serving(f, s.proxy, nil)
	for _, c := range fastCases {
		for _, head := range c.requests {
			f.Add(head)
		}
	}
	for _, head := range []string{wrkHead, browserHead, get("/text", "Accept-Encoding: gzip"), get("/none"), get("/private"), get("/a?b=c&b=d")} {
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || !strings.HasSuffix(raw, "\r\n\r\n") ||
			strings.Count(raw, "\r\n\r\n") != 1 || strings.Contains(raw, "\n\n") || r.ProtoMajor != 1 || r.Method != "GET" && r.Method != "HEAD" {
			return
		}
		slow.exchange(t, r.Method, raw) // so that it is stored
		before := fast.answers.Load()
		got := quick.exchange(t, r.Method, raw)
		if fast.answers.Load() == before {
			return
		}
		want := slow.exchange(t, r.Method, raw)
		if passing.ReplaceAllString(got, "") != passing.ReplaceAllString(want, "") {
			t.Errorf("%q:\n%s\nnet/http answers\n%s", raw, got, want)
		}
	})
}
