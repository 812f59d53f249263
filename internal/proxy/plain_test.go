package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/compress"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
)

// told is an answer as a client understands it.
type told struct {
	early  []string // informational responses: their status, Link and Content-Length
	status int
	fields http.Header // without those that differ from one moment to the next
	length int64
	body   string
	tail   http.Header
	cut    bool
}

// tell sends a request and reads all that is answered.
func (p *pipes) tell(t *testing.T, raw string) (a told) {
	t.Helper()
	near, far := net.Pipe()
	p.conns <- named{far}
	defer near.Close()
	near.SetDeadline(time.Now().Add(30 * time.Second))
	go io.WriteString(near, raw)
	r := bufio.NewReader(near)
	method, _, _ := strings.Cut(raw, " ")
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			a.cut = true
			return a
		}
		if resp.StatusCode < 200 {
			a.early = append(a.early, fmt.Sprint(resp.StatusCode, resp.Header["Link"], resp.Header["Content-Length"]))
			continue
		}
		body, err := io.ReadAll(resp.Body)
		a.status, a.fields, a.length, a.body, a.tail, a.cut = resp.StatusCode, resp.Header, resp.ContentLength, string(body), resp.Trailer, err != nil
		for _, name := range []string{"Date", "X-Timer", "Age", "X-Cache-Hits"} {
			a.fields.Del(name)
		}
		return a
	}
}

// TestPlainAnswersAreThoseOfNetHTTP holds what the server answers by itself against
// what net/http does, of answers that are more than a head and a little content.
func TestPlainAnswersAreThoseOfNetHTTP(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 20000)
	for _, c := range []struct {
		name    string
		request string
		answer  func(*origin.Request) (*origin.Response, error)
		framed  bool // by length on one side, in chunks on the other: either will do
	}{
		{"long", get("/a"), func(*origin.Request) (*origin.Response, error) {
			return response(200, long, "Cache-Control: max-age=60"), nil
		}, false},
		{"of unknown length", get("/a"), func(*origin.Request) (*origin.Response, error) {
			return streamed(200, -1, io.NopCloser(strings.NewReader(long)), "Cache-Control: max-age=60"), nil
		}, true},
		{"short and of unknown length", get("/a"), func(*origin.Request) (*origin.Response, error) {
			return streamed(200, -1, io.NopCloser(strings.NewReader("short")), "Cache-Control: max-age=60"), nil
		}, true},
		{"with a trailer", get("/a"), func(*origin.Request) (*origin.Response, error) {
			r := streamed(200, -1, io.NopCloser(strings.NewReader(long)), "Cache-Control: max-age=60")
			r.Trailer = func() field.Fields {
				return field.Fields{{Name: "X-Sum", Value: "1"}, {Name: "Surrogate-Key", Value: "hidden"}, {Name: "Age", Value: "9"}}
			}
			return r, nil
		}, false},
		{"ahead of it a hint", get("/a"), func(r *origin.Request) (*origin.Response, error) {
			r.Interim(103, field.Fields{{Name: "Link", Value: "</a.css>"}, {Name: "Connection", Value: "x"}, {Name: "content-length", Value: "20"}})
			return response(200, "x"), nil
		}, false},
		{"compressed", get("/a", "Accept-Encoding: gzip"), func(*origin.Request) (*origin.Response, error) {
			return response(200, long, "Cache-Control: max-age=60", "Content-Type: text/plain"), nil
		}, true},
		{"a range", get("/a", "Range: bytes=5-70000"), func(*origin.Request) (*origin.Response, error) {
			return response(200, long, "Cache-Control: max-age=60"), nil
		}, false},
		{"HEAD", strings.Replace(get("/a"), "GET", "HEAD", 1), func(*origin.Request) (*origin.Response, error) {
			return response(200, long, "Cache-Control: max-age=60"), nil
		}, false},
		{"HEAD of unknown length", strings.Replace(get("/a"), "GET", "HEAD", 1), func(*origin.Request) (*origin.Response, error) {
			return streamed(200, -1, io.NopCloser(strings.NewReader(long)), "Cache-Control: max-age=60"), nil
		}, true},
		{"cut by the origin", get("/a"), func(*origin.Request) (*origin.Response, error) {
			return streamed(200, int64(len(long)), io.NopCloser(strings.NewReader(long[1:])), "Cache-Control: max-age=60"), nil
		}, false},
		{"an origin that fails", get("/a"), func(*origin.Request) (*origin.Response, error) {
			return nil, errors.New("no")
		}, false},
		{"a host that nobody serves", "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n", nil, false},
		{"a loop", get("/a", "Via: 1.1 rescind-n1"), nil, false},
		{"only what is stored", get("/a", "Cache-Control: only-if-cached"), nil, false},
	} {
		answers := make([]told, 2)
		for i := range answers {
			s := newSite(t, func(s *site, v *Service, _ *fetch.Config) {
				v.Compression = Compression{Encodings: []compress.Encoding{compress.Gzip}}
				s.policy.RequestDirectives = refreshing.RequestDirectives
			})
			s.origin(c.answer)
			if i == 0 {
				answers[i] = serving(t, s.proxy, nil, s.proxy).tell(t, c.request)
			} else {
				answers[i] = serving(t, s.proxy, nil, nil).tell(t, c.request)
			}
		}
		got, want := answers[0], answers[1]
		if c.framed {
			got.length, want.length = 0, 0
			got.fields.Del("Content-Length")
			want.fields.Del("Content-Length")
		}
		if want.fields.Get("Content-Encoding") == "gzip" { // what bytes it takes depends on when they came
			got.body, want.body = gunzip(t, []byte(got.body)), gunzip(t, []byte(want.body))
		}
		if want.cut {
			got.body, want.body = "", "" // how much of it arrives is a matter of luck
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, net/http: %+v", c.name, brief(got), brief(want))
		}
	}
}

func brief(a told) told {
	a.body = fmt.Sprintf("%d bytes: %.40q", len(a.body), a.body)
	return a
}

// A client that leaves gives up what is fetched for it alone.
func TestPlainClientThatLeaves(t *testing.T) {
	s := newSite(t)
	asked, gone := make(chan struct{}), make(chan struct{})
	s.patient = true
	s.origin(func(*origin.Request) (*origin.Response, error) {
		close(asked)
		<-gone
		return response(200, "x", "Cache-Control: private"), nil
	})
	done := make(chan event.Request, 1)
	cfg := s.proxy.now.Load().Config
	cfg.Done = func(e *event.Request) { done <- *e }
	s.proxy.Reconfigure(cfg)
	l := serving(t, s.proxy, nil, s.proxy)
	near, far := net.Pipe()
	l.conns <- named{far}
	io.WriteString(near, get("/a", "Authorization: x"))
	<-asked
	near.Close()
	if e := <-done; !e.Cut || e.Status != 0 {
		t.Errorf("%d, cut %v", e.Status, e.Cut)
	}
	close(gone)
}

// Those who log an answer see it as it was sent, and who asked.
func TestPlainAnswersAreRecorded(t *testing.T) {
	s := newSite(t)
	s.says("0123456789", "Cache-Control: max-age=60", "X-Kind: a", "X-Kind: b")
	type record struct {
		event.Request
		kinds []string
	}
	records := make(chan record, 2)
	cfg := s.proxy.now.Load().Config
	cfg.Done = func(e *event.Request) { records <- record{*e, e.ResponseFields.Values("x-kind")} }
	s.proxy.Reconfigure(cfg)
	l := serving(t, s.proxy, nil, s.proxy)
	for _, outcome := range []event.Outcome{event.OutcomeMiss, event.OutcomeHit} {
		l.tell(t, get("/a"))
		e := <-records
		if e.Outcome != outcome || e.Status != 200 || e.Bytes != 10 || e.Cut || e.Method != "GET" || e.Target != "/a" || e.Proto != "HTTP/1.1" ||
			e.FirstByte <= 0 || e.FirstByte > e.Duration || !reflect.DeepEqual(e.kinds, []string{"a", "b"}) {
			t.Errorf("%+v", e)
		}
	}
}

// Whoever may refresh is asked with the whole request.
func TestPlainRequestsThatRefresh(t *testing.T) {
	s := newSite(t, func(_ *site, v *Service, _ *fetch.Config) { v.Refresh = true })
	s.says("x", "Cache-Control: max-age=60")
	var asked *http.Request
	cfg := s.proxy.now.Load().Config
	cfg.Refresh = func(_ string, _ field.Target, r *http.Request) bool {
		asked = r.Clone(context.Background())
		return true
	}
	s.proxy.Reconfigure(cfg)
	l := serving(t, s.proxy, nil, s.proxy)
	l.tell(t, get("/a?b"))
	if a := l.tell(t, get("/a?b", "Cache-Control: no-cache", "X-Token: t")); a.fields.Get("X-Cache") != "MISS" {
		t.Errorf("%+v", a)
	}
	if asked == nil || asked.Method != "GET" || asked.RequestURI != "/a?b" || asked.Host != "shop.example" ||
		asked.Header.Get("X-Token") != "t" || asked.RemoteAddr == "" {
		t.Errorf("asked with %+v", asked)
	}
}

func TestRecordsNameTLSAsOtherServersDo(t *testing.T) {
	s := newSite(t)
	s.says("x")
	var got string
	cfg := s.proxy.now.Load().Config
	cfg.Done = func(e *event.Request) { got = e.TLS }
	s.proxy.Reconfigure(cfg)
	for version, want := range map[uint16]string{0: "", tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"} {
		r := s.request(t.Context(), http.MethodGet, "/", nil)
		if r.TLS = nil; version != 0 {
			r.TLS = &tls.ConnectionState{Version: version}
		}
		if s.proxy.ServeHTTP(newSeen(), r); got != want {
			t.Errorf("version %x is recorded as %q, not %q", version, got, want)
		}
	}
}
