package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
)

func streaming(max, window int64) option {
	return func(_ *site, _ *Service, c *fetch.Config) { c.MaxObject, c.Window = max, window }
}

func ranged(body string, length bool, partFields ...string) func(r *origin.Request) (*origin.Response, error) {
	return func(r *origin.Request) (*origin.Response, error) {
		if value, ok := r.Fields.Get("Range"); ok {
			from, to := 0, len(body)-1
			fmt.Sscanf(value, "bytes=%d-%d", &from, &to)
			part := response(206, body[from:to+1], partFields...)
			part.Fields = part.Fields.Add("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(body)))
			return part, nil
		}
		n := int64(-1)
		if length {
			n = int64(len(body))
		}
		return streamed(200, n, io.NopCloser(strings.NewReader(body)), "Cache-Control: max-age=60", `ETag: "v1"`), nil
	}
}

// several ranges, the second behind the window: nil dereference.
func TestRangesBackwardsOnStreamedBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, streaming(100<<10, 128<<10))
		body := strings.Repeat("0123456789abcdef", 64<<10)
		s.origin(ranged(body, true, `ETag: "v1"`))
		defer func() {
			if e := recover(); e != nil {
				t.Errorf("the handler panicked: %v", e)
			}
		}()
		got := s.get("/a", "Range: bytes=900000-900009,0-9,20-29")
		if got.cut || got.Code != 206 && got.body() != body {
			t.Errorf("%d, cut %v", got.Code, got.cut)
		}
	})
}

func resumeWith(t *testing.T, answer func(r *origin.Request) (*origin.Response, error)) (*slowWriter, string) {
	s := newSite(t, streaming(100<<10, 128<<10))
	body := strings.Repeat("0123456789abcdef", 64<<10)
	s.origin(func(r *origin.Request) (*origin.Response, error) {
		if !r.Fields.Has("Range") {
			time.Sleep(time.Second) // both join before the head is known
		}
		return answer(r)
	})
	slow := &slowWriter{seen: newSeen(), per: time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { slow.cut = recover() != nil }()
		s.proxy.ServeHTTP(slow, s.request(context.Background(), http.MethodGet, "/a", nil))
	}()
	synctest.Wait()
	s.get("/a")
	<-done
	if s.fetches() != 2 {
		t.Fatalf("%d requests reached the origin: nobody resumed", s.fetches())
	}
	return slow, body
}

// the origin sends only a part of the rest: ended as if whole.
func TestResumeShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := strings.Repeat("0123456789abcdef", 64<<10)
		all := ranged(body, false, `ETag: "v1"`)
		slow, _ := resumeWith(t, func(r *origin.Request) (*origin.Response, error) {
			if v, ok := r.Fields.Get("Range"); ok {
				var from int
				fmt.Sscanf(v, "bytes=%d-", &from)
				part := response(206, body[from:from+10], `ETag: "v1"`)
				part.Fields = part.Fields.Add("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, from+9, len(body)))
				return part, nil
			}
			return all(r)
		})
		if !slow.cut && slow.body() != body {
			t.Errorf("got %d of %d bytes, ended as if they were all", slow.Body.Len(), len(body))
		}
	})
}

// an origin that ignores If-Range answers with another version, no ETag.
func TestResumeWithoutTag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := strings.Repeat("0123456789abcdef", 64<<10)
		next := strings.ToUpper(body)
		first, second := ranged(body, false), ranged(next, false)
		slow, _ := resumeWith(t, func(r *origin.Request) (*origin.Response, error) {
			if r.Fields.Has("Range") {
				return second(r)
			}
			return first(r)
		})
		if !slow.cut && slow.body() != body {
			t.Errorf("got half of one version and half of another")
		}
	})
}

func TestViaOfAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("x", "Cache-Control: max-age=60")
		if got := s.get("/a", "Via: 1.1 rescind-n10"); got.Code != 200 {
			t.Errorf("behind node n10, node n1 answers %d %s", got.Code, got.body())
		}
	})
}

func TestRefreshOfStaleOnArrivalIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			return response(200, "x", "Cache-Control: max-age=0, stale-while-revalidate=60"), nil
		})
		s.get("/a")
		for range 50 {
			s.want(s.get("/a"), "HIT", "x")
		}
		synctest.Wait()
		if n := s.fetches() - 1; n != 1 {
			t.Errorf("50 hits caused %d background refreshes at once, want 1", n)
		}
	})
}

func TestAuthorizationDoesNotRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{304, 200} {
			s := newSite(t)
			s.origin(func(r *origin.Request) (*origin.Response, error) {
				if r.Fields.Has("If-None-Match") && status == 304 {
					return response(304, "", "Cache-Control: max-age=10, stale-if-error=600", `ETag: "1"`), nil
				}
				return response(200, "x", "Cache-Control: max-age=10, stale-if-error=600", `ETag: "1"`), nil
			})
			s.get("/a")
			time.Sleep(11 * time.Second)
			s.get("/a", "Authorization: Basic bm9ib2R5Og==")
			s.origin(func(r *origin.Request) (*origin.Response, error) { return response(503, "down"), nil })
			if got := s.get("/a"); got.body() != "x" {
				t.Errorf("after a stranger's Authorization (%d), stale-if-error has nothing: %d %s", status, got.Code, got.Header().Get("Cache-Status"))
			}
		}
	})
}

func TestAuthorizationDoesNotEndSharing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			return response(200, "x", "Cache-Control: max-age=60"), nil
		})
		go s.get("/a", "Authorization: Basic bm9ib2R5Og==")
		synctest.Wait()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { s.get("/a") })
		}
		all.Wait()
		if n := s.fetches(); n > 2 {
			t.Errorf("%d requests reached the origin, want 2", n)
		}
	})
}

func TestHostAsKeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			if r.Host != "shop.example" {
				return response(404, "no such host: "+r.Host, "Cache-Control: max-age=60"), nil
			}
			return response(200, "shop", "Cache-Control: max-age=60"), nil
		})
		for i, host := range []string{"shop.example.", "SHOP.example:80", "shop.example:"} {
			path := fmt.Sprint("/", i)
			s.get(path, "Host: "+host)
			if got := s.get(path); got.Code != 200 {
				t.Errorf("Host %q poisoned the entry of shop.example: %d %s %s", host, got.Code, got.cache(), got.body())
			}
		}
	})
}

func TestForwardedHostOfTrustedProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(_ *site, v *Service, _ *fetch.Config) {
			v.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		})
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			h, _ := r.Fields.Get("X-Forwarded-Host")
			return response(200, "https://"+h+"/app.js", "Cache-Control: max-age=60"), nil
		})
		s.get("/a", "X-Forwarded-For: 203.0.113.1", "X-Forwarded-Host: evil.example")
		if got := s.get("/a", "X-Forwarded-For: 203.0.113.2"); strings.Contains(got.body(), "evil") {
			t.Errorf("poisoned through an unkeyed field: %q", got.body())
		}
	})
}

func TestUnreadableHopIsNobody(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, f := range []string{"X-Forwarded-For: 203.0.113.9:51234", "X-Forwarded-For: unknown", "X-Forwarded-For: [2001:db8::1]:443", "Forwarded: for=203.0.113.9"} {
		r := httptest.NewRequest("PURGE", "http://shop.example/", nil)
		r.RemoteAddr = "127.0.0.1:1000"
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
		if c := clientOf(r, trusted); c.addr.IsLoopback() && !c.forwarded {
			t.Errorf("%s from the proxy on loopback: taken for %v itself", f, c.addr)
		}
	}
}

// A client by HTTP/2 has h2Patience for what is its own to do, more than a busy
// machine delays it by, and the origin takes longer than that.
const (
	h2Patience = 2 * time.Second
	originTime = 3 * time.Second
)

func h2site(t *testing.T, s *site) (*http.Client, string) {
	cfg := s.proxy.now.Load().Config
	cfg.WriteTimeout = h2Patience
	s.proxy.Reconfigure(cfg)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "shop.example"
		s.proxy.ServeHTTP(w, r)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	c := srv.Client()
	c.Transport.(*http.Transport).TLSClientConfig.NextProtos = []string{"h2"}
	_ = tls.VersionTLS13
	return c, srv.URL
}

type pausing struct {
	parts []string
	pause time.Duration
	i     int
}

func (p *pausing) Read(b []byte) (int, error) {
	if p.i > 0 {
		time.Sleep(p.pause)
	}
	if p.i == len(p.parts) {
		return 0, io.EOF
	}
	p.i++
	return copy(b, p.parts[p.i-1]), nil
}
func (p *pausing) Close() error { return nil }

func TestHTTP2SlowOrigin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.origin(func(*origin.Request) (*origin.Response, error) {
		return streamed(200, -1, &pausing{parts: []string{"one ", "two"}, pause: originTime}, "Content-Type: text/event-stream", "Cache-Control: no-store"), nil
	})
	c, url := h2site(t, s)
	resp, err := c.Get(url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if resp.ProtoMajor != 2 || err != nil || string(b) != "one two" {
		t.Errorf("HTTP/%d: %q, %v; the client read as fast as it could", resp.ProtoMajor, b, err)
	}
}

// an interim response, then a slow final one.
func TestHTTP2SlowAfterInterim(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.origin(func(r *origin.Request) (*origin.Response, error) {
		r.Interim(103, nil)
		time.Sleep(originTime)
		return response(200, "x", "Cache-Control: no-store"), nil
	})
	c, url := h2site(t, s)
	resp, err := c.Get(url + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestHTTP2SlowUpload(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.origin(func(r *origin.Request) (*origin.Response, error) {
		var b [4]byte
		if _, err := io.ReadFull(r.Body, b[:]); err != nil {
			return nil, err
		}
		time.Sleep(originTime) // the origin takes its time
		rest, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		return response(200, fmt.Sprint(4+len(rest))), nil
	})
	c, url := h2site(t, s)
	resp, err := c.Post(url+"/", "text/plain", bytes.NewReader(make([]byte, 3<<20)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 {
		t.Errorf("the origin was slow, the client is blamed: %d %s", resp.StatusCode, b)
	}
}

func TestUpgradeToHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("x")
		s.get("/a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
		if r := s.lastRequest(); r.Upgrade != "" {
			t.Errorf("the origin is offered %q: a client can speak to it past the proxy", r.Upgrade)
		}
	})
}

type hijackable struct {
	seen
	conn net.Conn
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}
func (h hijackable) SetWriteDeadline(t time.Time) error { return nil }

// R13 and R17
func TestTunnel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		near, far := net.Pipe()
		client, conn := net.Pipe()
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			resp := response(101, "", "Upgrade: websocket", "Connection: Upgrade")
			resp.Upgraded = near
			return resp, nil
		})
		var over atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.proxy.ServeHTTP(hijackable{newSeen(), conn}, s.request(context.Background(), "GET", "/ws", nil, "Connection: Upgrade", "Upgrade: foo, websocket"))
			over.Store(true)
		}()
		resp, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Upgrade"); got != "websocket" {
			t.Errorf("101 says Upgrade: %s; the origin chose websocket", got)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if !over.Load() {
			t.Errorf("a day without a byte, and the tunnel still holds a connection and a place at the origin")
		}
		client.Close()
		far.Close()
		<-done
	})
}

func TestUnusedCountsOlderConfigurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			time.Sleep(10 * time.Second)
			return response(200, "x"), nil
		})
		done := make(chan seen)
		go func() { done <- s.get("/a") }()
		time.Sleep(time.Second)
		cfg := s.proxy.now.Load().Config
		s.proxy.Reconfigure(cfg)           // the service stays
		unused := s.proxy.Reconfigure(cfg) // the service goes: app closes it after unused
		synctest.Wait()
		select {
		case <-unused:
			t.Error("unused, although a request that began two configurations ago uses the same service")
		default:
		}
		<-done
	})
}

type stuck struct {
	seen
	until chan struct{}
}

func (w stuck) Write(p []byte) (int, error) { <-w.until; return 0, io.ErrClosedPipe }

func TestSlowClientsOfPrivateBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("kept", "Cache-Control: max-age=6000")
		for i := range 100 {
			s.get(fmt.Sprint("/", i))
		}
		before := s.store.Stats()
		s.origin(func(*origin.Request) (*origin.Response, error) {
			return response(200, strings.Repeat("x", 4<<20), "Cache-Control: private"), nil
		})
		until := make(chan struct{})
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				defer func() { recover() }()
				s.proxy.ServeHTTP(stuck{newSeen(), until}, s.request(context.Background(), "GET", fmt.Sprint("/private/", i), nil))
			})
		}
		synctest.Wait()
		st := s.store.Stats()
		t.Logf("before %d objects %d bytes; with 20 stuck clients: %d objects, %d bytes counted of %d; evicted %d, refused %d",
			before.Objects, before.Bytes, st.Objects, st.Bytes, st.Budget, st.Gone[0], st.Refused)
		if st.Gone[0] > 0 {
			t.Errorf("20 clients that do not read responses which are never stored evicted %d objects", st.Gone[0])
		}
		close(until)
		all.Wait()
	})
}

func TestWithheldFieldReachesItsUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("x", `Cache-Control: max-age=60, no-cache="Set-Cookie"`, "Set-Cookie: id=1")
		if got := s.get("/a"); got.Header().Get("Set-Cookie") == "" {
			t.Errorf("the one for whom the cookie was made did not get it: %v", got.Header())
		}
	})
}

// one client reads the tail, the other the whole, both at a fair pace.
func TestTailReaderDoesNotOutrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, streaming(100<<10, 128<<10))
		body := strings.Repeat("0123456789abcdef", 64<<10)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			return streamed(200, int64(len(body)), io.NopCloser(strings.NewReader(body)), "Cache-Control: max-age=60"), nil
		})
		fair := &slowWriter{seen: newSeen(), per: 10 * time.Millisecond}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { fair.cut = recover() != nil }()
			s.proxy.ServeHTTP(fair, s.request(context.Background(), http.MethodGet, "/a", nil))
		}()
		time.Sleep(100 * time.Millisecond)
		tail := s.get("/a", fmt.Sprintf("Range: bytes=%d-", len(body)-10))
		<-done
		if fair.cut || fair.body() != body {
			t.Errorf("a range at the end (%d) cut the reader of the whole after %d bytes", tail.Code, fair.Body.Len())
		}
	})
}

// chunked and too large is not remembered.
func TestTooLargeOfUnknownLengthIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, streaming(100<<10, 128<<10))
		body := strings.Repeat("0123456789abcdef", 64<<10)
		s.origin(ranged(body, false, `ETag: "v1"`))
		s.get("/a")
		s.get("/a", "Range: bytes=10-19")
		if !s.lastRequest().Fields.Has("Range") {
			t.Errorf("the whole body is fetched again for ten bytes")
		}
	})
}

// interim responses drop what the server says of the connection.
func TestInterimKeepsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			r.Interim(103, nil)
			return response(200, "x"), nil
		})
		w := newSeen()
		w.Header().Set("Connection", "close") // as server.front does while it drains
		s.proxy.ServeHTTP(w, s.request(context.Background(), "GET", "/a", nil))
		if w.Header().Get("Connection") != "close" {
			t.Error("an interim response made the server forget to close")
		}
	})
}

func TestTagsOfInterimAndTrailersAreHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			resp := streamed(200, -1, io.NopCloser(strings.NewReader("x")), "Cache-Control: no-store")
			resp.Trailer = func() (f field.Fields) { return f.Add("Surrogate-Key", "secret").Add("Content-Length", "9") }
			return resp, nil
		})
		got := s.get("/a")
		for name := range got.Header() {
			if strings.HasSuffix(name, "Surrogate-Key") || strings.HasSuffix(name, ":Content-Length") {
				t.Errorf("delivered %s", name)
			}
		}
	})
}

// query rule changes while a request under the old one still runs.
func TestOldQueryRuleAfterPurgeAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var svc *Service
		s := newSite(t, func(_ *site, v *Service, _ *fetch.Config) { svc = v; v.Query.Mode = 2 }) // ignore
		first := true
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			if first {
				first = false
				return response(200, "mine", "Cache-Control: private"), nil
			}
			return response(200, r.Target.Raw(), "Cache-Control: max-age=600"), nil
		})
		go s.get("/a?x=1")
		synctest.Wait()
		waiter := make(chan seen)
		go func() { waiter <- s.get("/a?x=2") }()
		synctest.Wait()
		next := *svc
		next.Query.Mode, next.KeySpace = 0, "shop, another rule"
		cfg := s.proxy.now.Load().Config
		cfg.Services = []*Service{&next}
		s.proxy.Reconfigure(cfg)
		s.apply(purge.All(), purge.Effect{}) // what app.withdrawOrphans does
		<-waiter
		if got := s.get("/a"); got.body() != "/a" {
			t.Errorf("GET /a is answered with %q (%s)", got.body(), got.cache())
		}
	})
}
