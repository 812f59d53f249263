package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/compress"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/server"
)

// answering counts what the fast path answers.
type answering struct {
	*Proxy
	mu      sync.Mutex
	answers int
}

func (a *answering) ServeFast(w server.FastWriter, r *server.FastRequest) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	ok := a.Proxy.ServeFast(w, r)
	if ok {
		a.answers++
	}
	return ok
}

// count returns how many there were. A client has its answer before that is counted,
// so it waits for what is under way.
func (a *answering) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answers
}

// serving starts a server on a listener in memory.
func serving(t testing.TB, handler http.Handler, fast server.FastHandler, plain server.PlainHandler) *pipes {
	l := &pipes{conns: make(chan net.Conn)}
	s, err := server.New(server.Config{
		Handler: handler, Fast: fast, Plain: plain,
		Log:           slog.New(slog.NewTextHandler(os.Stderr, nil)), // a client only sees that its connection ends
		HTTPListeners: []server.Listener{{Listener: l}},
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
	near.SetDeadline(time.Now().Add(time.Minute))
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

// fuzzedOrigin answers what there is to say of many kinds.
func fuzzedOrigin(r *origin.Request) (*origin.Response, error) {
	switch {
	case strings.HasPrefix(r.Target.Path, "/none"):
		return response(404, "none", "Cache-Control: max-age=600"), nil
	case strings.HasPrefix(r.Target.Path, "/text"):
		return response(200, strings.Repeat("text ", 1000), "Cache-Control: max-age=600", "Content-Type: text/html", `ETag: "t"`), nil
	case strings.HasPrefix(r.Target.Path, "/private"):
		return response(200, "x", "Cache-Control: private"), nil
	case strings.HasPrefix(r.Target.Path, "/empty"):
		return streamed(204, 0, io.NopCloser(strings.NewReader("")), "Cache-Control: max-age=600", "ETag: W/\"0\""), nil
	case strings.HasPrefix(r.Target.Path, "/odd"):
		return response(299, "odd", "x-b: 1", "X-A: 2", "x-b: 3", "Set-Cookie: a", "Set-Cookie: b"), nil
	case strings.HasPrefix(r.Target.Path, "/broken"):
		return nil, errors.New("the origin is broken")
	}
	return response(200, "0123456789", "Cache-Control: max-age=600", `ETag: "e"`, "Last-Modified: Fri, 31 Dec 1999 23:59:00 GMT",
		"Vary: Accept-Language", "Via: 1.1 other", "X-Cache: HIT"), nil
}

// addHeads adds what to begin with.
func addHeads(f *testing.F) {
	for _, c := range fastCases {
		for _, head := range c.requests {
			f.Add(head)
		}
	}
	for _, head := range []string{wrkHead, browserHead, get("/text", "Accept-Encoding: gzip"), get("/none"), get("/private"), get("/empty"), get("/odd"), get("/broken"), get("/a?b=c&b=d")} {
		f.Add(head)
	}
}

// simpleMethod returns the method of a single GET or HEAD by HTTP/1 without a
// body, or "".
func simpleMethod(raw string) string {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || !strings.HasSuffix(raw, "\r\n\r\n") ||
		strings.Count(raw, "\r\n\r\n") != 1 || strings.Contains(raw, "\n\n") || r.ProtoMajor != 1 || r.Method != "GET" && r.Method != "HEAD" {
		return ""
	}
	return r.Method
}

// FuzzFastAnswers sends any head to a server with the fast path and to one
// without: what the fast path answers is, but for times and counts, what net/http
// would have sent, byte by byte.
func FuzzFastAnswers(f *testing.F) {
	s := newSite(f, func(_ *site, v *Service, _ *fetch.Config) {
		v.Domains = []string{"*"}
		v.Compression = Compression{Encodings: []compress.Encoding{compress.Gzip}}
	})
	s.origin(fuzzedOrigin)
	fast := &answering{Proxy: s.proxy}
	quick, slow := serving(f, s.proxy, fast, nil), serving(f, s.proxy, nil, nil)
	addHeads(f)
	f.Fuzz(func(t *testing.T, raw string) {
		method := simpleMethod(raw)
		if method == "" {
			return
		}
		slow.exchange(t, method, raw) // so that it is stored
		before := fast.count()
		got := quick.exchange(t, method, raw)
		if fast.count() == before {
			return
		}
		want := slow.exchange(t, method, raw)
		if passing.ReplaceAllString(got, "") != passing.ReplaceAllString(want, "") {
			t.Errorf("%q:\n%s\nnet/http answers\n%s", raw, got, want)
		}
	})
}

// FuzzPlainAnswers sends any head to a server that answers by itself and to one
// that has net/http answer, each in front of a proxy of its own, and compares what
// they send, byte by byte but for times: first what is fetched, then what of it is
// stored.
func FuzzPlainAnswers(f *testing.F) {
	sites, servers := make([]*site, 2), make([]*pipes, 2)
	for i := range sites {
		s := newSite(f, func(_ *site, v *Service, _ *fetch.Config) { v.Domains = []string{"*"} })
		s.origin(fuzzedOrigin)
		var plain server.PlainHandler
		if i == 0 {
			plain = s.proxy
		}
		sites[i], servers[i] = s, serving(f, s.proxy, nil, plain)
	}
	addHeads(f)
	f.Fuzz(func(t *testing.T, raw string) {
		method := simpleMethod(raw)
		if method == "" {
			return
		}
		for _, s := range sites { // whatever came before, and what was evicted of it
			s.apply(purge.Selector{Kind: purge.ByAll}, purge.Effect{})
		}
		if got, want, same := alike(t, servers, method, raw); !same {
			t.Errorf("%q:\n%s\nnet/http answers\n%s", raw, got, want)
		}
		for range 200 { // until what was fetched is stored by both
			if _, _, same := alike(t, servers, method, raw); same {
				return
			}
		}
		got, want, _ := alike(t, servers, method, raw)
		t.Errorf("stored, %q:\n%s\nnet/http answers\n%s", raw, got, want)
	})
}

// alike sends a request to two servers and tells whether their answers are the
// same but for times.
func alike(t *testing.T, servers []*pipes, method, raw string) (got, want string, same bool) {
	got, want = servers[0].exchange(t, method, raw), servers[1].exchange(t, method, raw)
	return got, want, passing.ReplaceAllString(got, "") == passing.ReplaceAllString(want, "")
}
