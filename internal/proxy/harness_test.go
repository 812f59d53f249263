package proxy

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store/memory"
)

// site is a proxy in front of an origin that a test plays.
type site struct {
	t       testing.TB
	proxy   *Proxy
	fetcher *fetch.Fetcher
	engine  *purge.Engine
	hasher  *field.Hasher
	store   *memory.Store
	policy  *httpcache.Policy
	invalid [][]field.Target

	patient  bool // the origin answers although the request was given up
	playing  sync.WaitGroup
	mu       sync.Mutex
	answer   func(*origin.Request) (*origin.Response, error)
	requests []*origin.Request
}

type option func(*site, *Service, *fetch.Config)

func newSite(t testing.TB, options ...option) *site {
	s := &site{t: t, engine: purge.NewEngine(purge.Config{}), hasher: field.RandomHasher(), policy: &httpcache.Policy{DefaultKeep: time.Hour}}
	s.store = memory.New(memory.Config{Budget: 8 << 20, Poison: true})
	judge := &fetch.Judge{Marks: s.engine.Service("shop")}
	service := &Service{
		ID: "shop", Domains: []string{"shop.example", "*.shop.example"}, Judge: judge, Policy: s.policy,
		DebugFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	}
	cfg := fetch.Config{
		Service: "shop", Store: s.store, Judge: judge, Hasher: s.hasher, Origin: s, Policy: s.policy,
		Log: slog.New(slog.DiscardHandler),
	}
	for _, o := range options {
		o(s, service, &cfg)
	}
	s.fetcher = fetch.New(cfg)
	service.Fetcher = s.fetcher
	s.proxy = New(Config{
		Node: "n1", POP: "lab", Services: []*Service{service}, Store: s.store, Hasher: s.hasher,
		Invalidate: func(_ string, targets []field.Target) { s.invalidate(targets) }, Log: cfg.Log,
	})
	t.Cleanup(s.close)
	return s
}

func (s *site) close() {
	s.fetcher.Close()
	s.proxy.Close()
	s.playing.Wait()
	s.proxy.Reconfigure(Config{Store: s.store, Hasher: s.hasher})
}

func (s *site) invalidate(targets []field.Target) {
	s.mu.Lock()
	s.invalid = append(s.invalid, targets)
	s.mu.Unlock()
	for _, t := range targets {
		t.Scheme = ""
		s.apply(purge.Selector{Kind: purge.ByURL, Target: t}, purge.Effect{})
	}
}

func (s *site) apply(sel purge.Selector, effect purge.Effect) purge.ID {
	now := time.Now().UnixNano()
	id := purge.NewID(now / 1e6)
	s.engine.Apply(now, purge.Purge{ID: id, Service: "shop", Tags: []field.Tag{sel.Tag(s.hasher, "shop", field.QueryRule{})}, Effect: effect})
	return id
}

func (s *site) purgeKey(key string, effect purge.Effect) purge.ID {
	return s.apply(purge.Selector{Kind: purge.ByKey, Key: key}, effect)
}

// Do implements fetch.Origin.
func (s *site) Do(ctx context.Context, r *origin.Request) (*origin.Response, error) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	answer := s.answer
	s.mu.Unlock()
	type result struct {
		resp *origin.Response
		err  error
	}
	done := make(chan result, 1)
	s.playing.Go(func() {
		resp, err := answer(r)
		done <- result{resp, err}
	})
	gone := ctx.Done()
	if s.patient {
		gone = nil
	}
	select {
	case res := <-done:
		return res.resp, res.err
	case <-gone:
		s.playing.Go(func() {
			if res := <-done; res.resp != nil {
				res.resp.Body.Close()
			}
		})
		return nil, ctx.Err()
	}
}

// origin sets what the origin answers from now on.
func (s *site) origin(answer func(*origin.Request) (*origin.Response, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// says makes the origin answer 200 with a body and fields.
func (s *site) says(body string, fields ...string) {
	s.origin(func(*origin.Request) (*origin.Response, error) { return response(200, body, fields...), nil })
}

func (s *site) fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *site) lastRequest() *origin.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[len(s.requests)-1]
}

// response makes an origin's response; fields are "Name: value".
func response(status int, body string, fields ...string) *origin.Response {
	return streamed(status, int64(len(body)), io.NopCloser(strings.NewReader(body)), fields...)
}

func streamed(status int, length int64, body io.ReadCloser, fields ...string) *origin.Response {
	r := &origin.Response{Status: status, Body: body, ContentLength: length}
	for _, f := range append(fields, "Date: "+time.Now().UTC().Format(http.TimeFormat)) {
		name, value, _ := strings.Cut(f, ": ")
		r.Fields = r.Fields.Add(name, value)
	}
	if length >= 0 {
		r.Fields = r.Fields.Add("Content-Length", strconv.FormatInt(length, 10))
	}
	return r
}

// seen is what a client got.
type seen struct {
	*httptest.ResponseRecorder
	cut bool // the connection was cut in the middle
}

// WriteHeader lets informational responses pass, which a ResponseRecorder
// takes for final ones.
func (s seen) WriteHeader(code int) {
	if code >= 200 {
		s.ResponseRecorder.WriteHeader(code)
	}
}

func (s seen) body() string { return s.Body.String() }

func (s seen) cache() string { return s.Header().Get("X-Cache") }

// get asks for a path; fields are "Name: value".
func (s *site) get(path string, fields ...string) seen {
	return s.do(http.MethodGet, path, fields...)
}

func (s *site) do(method, path string, fields ...string) seen {
	return s.send(context.Background(), method, path, nil, fields...)
}

func newSeen() seen { return seen{ResponseRecorder: httptest.NewRecorder()} }

func (s *site) request(ctx context.Context, method, path string, body io.Reader, fields ...string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, "http://shop.example/", body)
	r.RequestURI = path
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	return r
}

func (s *site) send(ctx context.Context, method, path string, body io.Reader, fields ...string) (out seen) {
	out = newSeen()
	defer func() {
		if e := recover(); e != nil {
			if e != http.ErrAbortHandler {
				panic(e)
			}
			out.cut = true
		}
	}()
	s.proxy.ServeHTTP(out, s.request(ctx, method, path, body, fields...))
	return out
}

func (s *site) want(got seen, cache string, body string) {
	s.t.Helper()
	if got.cache() != cache || got.body() != body || got.cut {
		s.t.Fatalf("got %d %q %q, cut %v (Cache-Status: %s), want %q %q", got.Code, got.cache(), got.body(), got.cut, got.Header().Get("Cache-Status"), cache, body)
	}
}
