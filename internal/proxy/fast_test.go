package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/compress"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/server"
)

// wire is where ServeFast writes.
type wire struct{ bytes.Buffer }

func (w *wire) Send(head []byte, content [][]byte) (sent int64, err error) {
	w.Write(head)
	for _, part := range content {
		n, _ := w.Write(part)
		sent += int64(n)
	}
	return sent, nil
}

// SendFields writes what Send does, in HTTP/1.
func (w *wire) SendFields(status int, fields field.Fields, content [][]byte) (int64, error) {
	fields.SortByName()
	head := appendStatusLine(nil, status)
	for _, f := range fields {
		head = fmt.Appendf(head, "%s: %s\r\n", f.Name, f.Value)
	}
	return w.Send(append(head, "\r\n"...), content)
}

// fastRequest takes a head apart as the server does.
func fastRequest(head string) *server.FastRequest {
	lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")
	parts := strings.Fields(lines[0])
	r := &server.FastRequest{
		Method: parts[0], Target: parts[1], Remote: "192.0.2.1:1234", Peer: netip.MustParseAddr("192.0.2.1"),
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Fields = r.Fields.Add(name, value)
	}
	return r
}

// fast returns the answer of ServeFast, "" where it declines.
func (s *site) fast(head string) string {
	var w wire
	if !s.proxy.ServeFast(&w, fastRequest(head)) {
		if w.Len() > 0 {
			s.t.Errorf("%q is declined after an answer", head)
		}
		return ""
	}
	return w.String()
}

// slow returns the bytes that net/http sends for the same request.
func (s *site) slow(head string) string {
	near, far := net.Pipe()
	listener := &pipes{conns: make(chan net.Conn, 1)}
	listener.conns <- named{far}
	srv := &http.Server{Handler: s.proxy}
	done := make(chan error)
	go func() { done <- srv.Serve(listener) }()
	go io.WriteString(near, head)
	var got bytes.Buffer
	method, _, _ := strings.Cut(head, " ")
	resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(near, &got)), &http.Request{Method: method})
	if err != nil {
		s.t.Fatalf("%q: %v", head, err)
	}
	io.Copy(io.Discard, resp.Body)
	srv.Close()
	near.Close()
	<-done
	return got.String()
}

type pipes struct{ conns chan net.Conn }

func (p *pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p *pipes) Close() error   { close(p.conns); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// named is a connection with the address of a client.
type named struct{ net.Conn }

func (named) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1234} }

var counted = regexp.MustCompile(`X-Cache-Hits: (.*, )?\d+`)

// unordered returns the lines of an answer in an order of their own.
func unordered(answer string) string {
	head, body, _ := strings.Cut(counted.ReplaceAllString(answer, "X-Cache-Hits: n"), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n\n" + body
}

// same compares two answers to one request: all but the count of hits.
func (s *site) same(head string) {
	s.t.Helper()
	fast, slow := s.fast(head), s.slow(head)
	if fast == "" {
		s.t.Errorf("%q is declined; net/http answers\n%s", head, slow)
		return
	}
	r := fastRequest(head)
	r.HTTP2 = true
	var http2 wire
	s.proxy.ServeFast(&http2, r)
	if unordered(fast) != unordered(http2.String()) {
		s.t.Errorf("%q:\n%s\nby HTTP/2\n%s", head, fast, http2.String())
	}
	if counted.ReplaceAllString(fast, "X-Cache-Hits: n") != counted.ReplaceAllString(slow, "X-Cache-Hits: n") {
		s.t.Errorf("%q:\n%s\nnet/http answers\n%s", head, fast, slow)
	}
}

func get(target string, fields ...string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: shop.example\r\n" + strings.Join(append(fields, "\r\n"), "\r\n")
}

const stamped = "Last-Modified: Fri, 31 Dec 1999 23:59:00 GMT"

// fastCases are stored responses and requests that are answered from memory.
var fastCases = map[string]struct {
	options  []option
	status   int
	body     string
	fields   []string
	requests []string
}{
	"plain": {
		body: "hello", fields: []string{"Cache-Control: max-age=60", "Content-Type: text/plain"},
		requests: []string{
			get("/a"), get("/a", "User-Agent: x", "Accept: */*", "Accept-Encoding: gzip"),
			"HEAD /a HTTP/1.1\r\nHost: shop.example\r\n\r\n", "GET /a HTTP/1.1\r\nHost: SHOP.example.:80\r\n\r\n",
			get("/a", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1", "Cache-Control: max-stale"),
		},
	},
	"names and order": {
		body: "hello", fields: []string{
			"cache-control: max-age=60", "zebra: 1", "via: 1.1 other", "x-cache: MISS", "x-cache: HIT", "x-cache-hits: 0", "X-SERVED-BY: other",
			"x-timer: S1.2", "Cache-Status: other; fwd=miss", "age: 10", "b: 1", "A: 2", "b: 3", "x-set: x", "Surrogate-Key: k",
		},
		requests: []string{get("/a")},
	},
	"conditions": {
		body: "0123456789", fields: []string{"Cache-Control: max-age=60", `ETag: "e"`, stamped, "Content-Type: text/css", "Content-Language: de"},
		requests: []string{
			get("/a", `If-None-Match: "e"`), get("/a", `If-None-Match: "other", W/"e"`), get("/a", `If-None-Match: "x"`),
			get("/a", "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT"), get("/a", `If-Match: "e"`),
			"HEAD /a HTTP/1.1\r\nHost: shop.example\r\nIf-None-Match: *\r\n\r\n",
		},
	},
	"ranges": {
		body: "0123456789", fields: []string{"Cache-Control: max-age=60", `ETag: "e"`, stamped},
		requests: []string{
			get("/a", "Range: bytes=0-3"), get("/a", "Range: bytes=-3"), get("/a", "Range: bytes=5-"), get("/a", "Range: bytes=9-99"),
			get("/a", "Range: bytes=0-3", `If-Range: "e"`), get("/a", "Range: bytes=0-3", `If-Range: "x"`), get("/a", "Range: lines=1-2"),
			"HEAD /a HTTP/1.1\r\nHost: shop.example\r\nRange: bytes=0-3\r\n\r\n",
		},
	},
	"another status": {
		status: 404, body: "none", fields: []string{"Cache-Control: max-age=60", `ETag: "e"`},
		requests: []string{get("/a"), get("/a", `If-None-Match: "e"`), get("/a", "Range: bytes=0-1")},
	},
	"variants": {
		body: "hallo", fields: []string{"Cache-Control: max-age=60", "Vary: Accept-Language"},
		requests: []string{get("/a", "Accept-Language: de"), get("/a", "accept-language:   de")},
	},
	"an empty body": {
		fields: []string{"Cache-Control: max-age=60"}, requests: []string{get("/a"), get("/a", "Range: bytes=0-1")},
	},
	"a large body": {
		body: strings.Repeat("0123456789", 30_000), fields: []string{"Cache-Control: max-age=60"},
		requests: []string{get("/a"), get("/a", "Range: bytes=65530-131080"), get("/a", "Range: bytes=-1")},
	},
	"rewritten": {
		options: []option{func(_ *site, v *Service, _ *fetch.Config) {
			v.Response = Rewrite{
				Remove: []string{"Server", "X-Timer", "Date"}, Set: field.Fields{{Name: "X-Frame-Options", Value: "DENY"}},
				Add: field.Fields{{Name: "Link", Value: "</x>; rel=preload"}},
			}
			v.NoCacheStatus = true
		}},
		body: "hello", fields: []string{"Cache-Control: max-age=60", "Server: x", "Link: <a>", "X-Frame-Options: a", "X-Frame-Options: b"},
		requests: []string{get("/a")},
	},
	"behind a trusted proxy": {
		options: []option{func(_ *site, v *Service, _ *fetch.Config) {
			v.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}},
		body: "hello", fields: []string{"Cache-Control: max-age=60"},
		requests: []string{get("/a", "X-Forwarded-For: 203.0.113.5, 192.0.2.9", "X-Forwarded-Proto: http")},
	},
}

func TestFastAnswersAreTheSame(t *testing.T) {
	for name, c := range fastCases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, c.options...)
				status := c.status
				if status == 0 {
					status = 200
				}
				s.origin(func(*origin.Request) (*origin.Response, error) { return response(status, c.body, c.fields...), nil })
				s.slow(strings.Replace(c.requests[0], "HEAD", "GET", 1))
				synctest.Wait()
				time.Sleep(7300 * time.Millisecond)
				for _, head := range c.requests {
					s.same(head)
				}
			})
		})
	}
}

func TestFastAnswersAreCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(_ *site, v *Service, _ *fetch.Config) {
			v.Compression = Compression{Encodings: []compress.Encoding{compress.Gzip}}
		})
		s.says(strings.Repeat("compressible ", 1000), "Cache-Control: max-age=60", "Content-Type: text/html", `ETag: "e"`)
		head := get("/a", "Accept-Encoding: gzip")
		s.slow(head)
		if got := s.fast(head); got != "" {
			t.Errorf("answered before the compressed form was there: %q", got)
		}
		s.slow(head)
		synctest.Wait()
		for _, head := range []string{
			head, get("/a"), get("/a", "Accept-Encoding: gzip", `If-None-Match: W/"e"`), get("/a", "Accept-Encoding: gzip", "Range: bytes=3-5"),
			"HEAD /a HTTP/1.1\r\nHost: shop.example\r\nAccept-Encoding: gzip\r\n\r\n",
		} {
			s.same(head)
		}
	})
}

func TestFastDeclines(t *testing.T) {
	for name, head := range map[string]string{
		"another URL":             get("/b"),
		"another host":            "GET /a HTTP/1.1\r\nHost: other.example\r\n\r\n",
		"a bad host":              "GET /a HTTP/1.1\r\nHost: a b\r\n\r\n",
		"another variant":         get("/a", "Accept-Language: fr"),
		"an unwilling client":     get("/a", "Cache-Control: no-cache"),
		"what may be a loop":      get("/a", "Via: 1.1 other"),
		"a failing condition":     get("/a", `If-Match: "x"`),
		"several ranges":          get("/a", "Range: bytes=0-1, 3-4"),
		"no range that there is":  get("/a", "Range: bytes=100-"),
		"somebody who asks how":   get("/a", "Fastly-Debug: 1"),
		"what is stored for them": get("/uncacheable"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.policy.RequestDirectives = httpcache.DirectivesObey
				s.origin(func(r *origin.Request) (*origin.Response, error) {
					if r.Target.Path == "/uncacheable" {
						return response(200, "x", "Set-Cookie: a=b"), nil
					}
					return response(200, "0123456789", "Cache-Control: max-age=60", `ETag: "e"`, "Vary: Accept-Language"), nil
				})
				s.slow(get("/a"))
				s.slow(get("/uncacheable"))
				if name != "another variant" && s.fast(get("/a")) == "" {
					t.Error("what is stored is declined")
				}
				before := s.proxy.stats.Requests.Load()
				if got := s.fast(head); got != "" {
					t.Errorf("answered %q", got)
				}
				if s.proxy.stats.Requests.Load() != before {
					t.Error("what is declined is counted")
				}
			})
		})
	}
}

// TestFastNeverServesWhatIsPurged: a purge counts from the moment it is applied,
// and what is stale is somebody else's.
func TestFastNeverServesWhatIsPurged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("x", "Cache-Control: max-age=60, stale-while-revalidate=60", "Surrogate-Key: k")
		s.slow(get("/a"))
		if s.fast(get("/a")) == "" {
			t.Fatal("declined before the purge")
		}
		s.purgeKey("k", purge.Effect{})
		if s.fast(get("/a")) != "" {
			t.Error("served after the purge")
		}
		s.slow(get("/a"))
		if s.fast(get("/a")) == "" {
			t.Fatal("declined after it was fetched again")
		}
		s.purgeKey("k", purge.Effect{Mode: purge.Soft})
		if s.fast(get("/a")) != "" {
			t.Error("served as fresh after a soft purge")
		}
		s.says("x", "Cache-Control: max-age=60", "Surrogate-Key: k")
		s.slow(get("/a"))
		synctest.Wait()
		time.Sleep(time.Minute)
		if s.fast(get("/a")) != "" {
			t.Error("served at the end of its time")
		}
	})
}

// TestFastRecords: both ways leave the same record.
func TestFastRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var records []string
		cfg := s.proxy.now.Load().Config
		cfg.Done = func(e *event.Request) {
			records = append(records, fmt.Sprintf("%s %s %v %s %s %s %s %s %s %d %d %v %s %s %v %x %d %s %s", e.Time, e.Remote, e.Client, e.Method, e.Scheme,
				e.Host, e.Target, e.Proto, e.TLS, e.Status, e.Bytes, e.Cut, e.Outcome, e.Reason, e.Age, e.Key, e.Keys.NumKeys(),
				e.RequestField("User-Agent"), e.ResponseField("Content-Type")))
		}
		s.proxy.Reconfigure(cfg)
		s.says("0123456789", "Cache-Control: max-age=60", "Surrogate-Key: k", "Content-Type: text/html", `ETag: "e"`)
		s.slow(get("/a"))
		time.Sleep(5 * time.Second)
		for _, head := range []string{get("/a?b", "User-Agent: x"), get("/a", "Range: bytes=2-3"), get("/a", `If-None-Match: "e"`)} {
			s.slow(head)
			records = nil
			s.slow(head)
			s.fast(head)
			if len(records) != 2 || records[0] != records[1] {
				t.Errorf("records:\n%s", strings.Join(records, "\n"))
			}
		}
	})
}

// nowhere takes answers and forgets them.
type nowhere struct{}

func (nowhere) Send(_ []byte, content [][]byte) (sent int64, err error) {
	for _, part := range content {
		sent += int64(len(part))
	}
	return sent, nil
}

func (nowhere) SendFields(_ int, _ field.Fields, content [][]byte) (int64, error) {
	return nowhere{}.Send(nil, content)
}

const wrkHead = "GET /a HTTP/1.1\r\nHost: shop.example\r\n\r\n"

const browserHead = "GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\nConnection: keep-alive\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\nAccept-Language: de,en-US;q=0.7,en;q=0.3\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\nReferer: http://shop.example/\r\nCookie: session=0123456789abcdef\r\nUpgrade-Insecure-Requests: 1\r\n" +
	"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nPriority: u=0, i\r\n\r\n"

func fastSite(t testing.TB) *site {
	s := newSite(t)
	s.says(strings.Repeat("x", 1024), "Content-Type: text/html; charset=utf-8",
		"Cache-Control: max-age=86400", `ETag: "0123456789"`, stamped, "Server: origin", "Surrogate-Key: a b c", "Vary: Accept-Encoding")
	s.slow(wrkHead)
	s.slow(browserHead)
	return s
}

func BenchmarkServeFast(b *testing.B) {
	s := fastSite(b)
	for name, head := range map[string]string{"wrk": wrkHead, "browser": browserHead} {
		b.Run(name, func(b *testing.B) {
			r := fastRequest(head)
			b.ReportAllocs()
			for b.Loop() {
				if !s.proxy.ServeFast(nowhere{}, r) {
					b.Fatal("declined")
				}
			}
		})
	}
}
