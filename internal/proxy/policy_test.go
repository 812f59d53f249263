package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("never asked")
		for _, c := range []struct {
			method string
			fields []string
			status int
			says   string
		}{
			{"GET", []string{"Host: nowhere.example"}, 421, `"nowhere.example"`},
			{"GET", []string{"Host: a b"}, 400, "Host"},
			{"GET", []string{"Host: "}, 400, "Host"},
			{"CONNECT", nil, 405, "CONNECT"},
			{"TRACE", nil, 405, "TRACE"},
			{"PURGE", nil, 405, "PURGE"},
			{"GET", []string{"Via: 1.1 rescind-n1"}, 508, "passed this node"},
			{"OPTIONS", []string{"Max-Forwards: 0"}, 204, ""},
		} {
			got := s.do(c.method, "/", c.fields...)
			if got.Code != c.status || !strings.Contains(got.body(), c.says) {
				t.Errorf("%s %v: %d %q, want %d with %q", c.method, c.fields, got.Code, got.body(), c.status, c.says)
			}
		}
		if s.fetches() > 0 {
			t.Errorf("%d refused requests reached the origin", s.fetches())
		}
	})
}

func TestDomains(t *testing.T) {
	a, b, c, d := &Service{ID: "a", Domains: []string{"a.example"}}, &Service{ID: "b", Domains: []string{"*.a.example"}},
		&Service{ID: "c", Domains: []string{"*.deep.a.example"}}, &Service{ID: "d", Domains: []string{"*"}}
	r := newRoutes([]*Service{a, b, c, d})
	for host, want := range map[string]*Service{
		"a.example": a, "x.a.example": b, "x.y.a.example": b, "x.deep.a.example": c, "deep.a.example": b, "b.example": d, "": d,
	} {
		if got := r.match(host); got != want {
			t.Errorf("%s: service %s, want %s", host, got.ID, want.ID)
		}
	}
	if got := newRoutes([]*Service{a}).match("z.example"); got != nil {
		t.Errorf("an unknown host got service %s", got.ID)
	}
}

// A body that ends early is never stored, and whoever reads it is cut: it must
// not look whole.
func TestBodyThatEndsEarly(t *testing.T) {
	for _, length := range []int64{50, -1} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			s.origin(func(*origin.Request) (*origin.Response, error) {
				broken := &origin.Error{Kind: origin.KindTruncated, Err: io.ErrUnexpectedEOF}
				return streamed(200, length, drip(2, 10, broken), "Cache-Control: max-age=60"), nil
			})
			got := s.get("/a")
			if !got.cut || got.body() != strings.Repeat("x", 20) {
				t.Errorf("length %d: cut %v after %q", length, got.cut, got.body())
			}
			s.says("whole", "Cache-Control: max-age=60")
			s.want(s.get("/a"), "MISS", "whole")
		})
	}
}

func TestUnstorableFraming(t *testing.T) {
	for name, spoil := range map[string]func(*origin.Response){
		"both lengths":      func(r *origin.Response) { r.Ambiguity = origin.BothLengths },
		"ends by the close": func(r *origin.Response) { r.CloseDelimited = true },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			s.origin(func(*origin.Request) (*origin.Response, error) {
				r := response(200, "body", "Cache-Control: max-age=60")
				spoil(r)
				return r, nil
			})
			s.want(s.get("/a"), "MISS", "body")
			if got := s.get("/a"); got.cache() != "MISS" {
				t.Errorf("%s: it was stored", name)
			}
		})
	}
}

// A body without a length that never ends must not take more memory than its
// window.
func TestEndlessBodyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(_ *site, _ *Service, c *fetch.Config) { c.MaxObject = 1 << 20 })
		const size = 100 << 20
		s.origin(func(*origin.Request) (*origin.Response, error) {
			return streamed(200, -1, io.NopCloser(io.LimitReader(zeros{}, size)), "Cache-Control: max-age=60"), nil
		})
		w := &countingWriter{header: http.Header{}}
		s.proxy.ServeHTTP(w, s.request(context.Background(), "GET", "/a", nil))
		if w.n != size {
			t.Errorf("the client got %d bytes, want %d", w.n, size)
		}
		synctest.Wait()
		// What remains is the memory that it was too large.
		if st := s.store.Stats(); st.Objects > 1 || st.Bytes > 2<<10 {
			t.Errorf("stored %d objects, %d bytes in use", st.Objects, st.Bytes)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type countingWriter struct {
	header http.Header
	n      int
}

func (w *countingWriter) Header() http.Header         { return w.header }
func (w *countingWriter) WriteHeader(int)             {}
func (w *countingWriter) Write(p []byte) (int, error) { w.n += len(p); return len(p), nil }

func TestWhatTheOriginIsSent(t *testing.T) {
	trusted := func(_ *site, v *Service, _ *fetch.Config) {
		v.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		v.Forwarded = true
	}
	for _, c := range []struct {
		name    string
		options []option
		fields  []string
		want    map[string]string
	}{
		{
			"an untrusted peer's claims are replaced", nil,
			[]string{"X-Forwarded-For: 10.0.0.1", "X-Forwarded-Proto: https", "Forwarded: for=10.0.0.1", "X-Forwarded-Host: evil.example"},
			map[string]string{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "shop.example", "Forwarded": ""},
		},
		{
			"a trusted proxy's are extended", []option{trusted},
			[]string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "Forwarded: for=203.0.113.9"},
			map[string]string{
				"X-Forwarded-For": "203.0.113.9, 192.0.2.1", "X-Forwarded-Proto": "https",
				"Forwarded": `for=203.0.113.9, for=192.0.2.1;host="shop.example";proto=https`,
			},
		},
		{
			"what concerns one connection stays behind", nil,
			[]string{"Connection: X-Private, keep-alive", "X-Private: 1", "Keep-Alive: timeout=5", "Proxy-Authorization: x", "TE: gzip", "Cookie: a=b"},
			map[string]string{"Connection": "", "X-Private": "", "Keep-Alive": "", "Proxy-Authorization": "", "TE": "", "Cookie": "a=b", "Via": "1.1 rescind-n1"},
		},
		{
			"a shared fetch carries no client's conditions", nil,
			[]string{`If-None-Match: "x"`, "Range: bytes=0-1", "If-Modified-Since: Thu, 01 Jan 1998 00:00:00 GMT"},
			map[string]string{"If-None-Match": "", "Range": "", "If-Modified-Since": ""},
		},
		{
			"encodings are normalised", nil,
			[]string{"Accept-Encoding: deflate, gzip;q=0.9, br;q=0"},
			map[string]string{"Accept-Encoding": "gzip"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, c.options...)
				s.says("x")
				s.get("/a", c.fields...)
				for name, want := range c.want {
					if got, _ := s.lastRequest().Fields.Joined(name); got != want {
						t.Errorf("%s: %q, want %q", name, got, want)
					}
				}
			})
		})
	}
}

func TestRawTargetReachesOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("x")
		for _, target := range []string{`/a|b"c^%2f%41`, "//x/y?q=%zz", "/?", "/a?b?c"} {
			s.get(target)
			if got := s.lastRequest().Target.Raw(); got != target {
				t.Errorf("%s went to the origin as %s", target, got)
			}
		}
		s.get("http://shop.example/abs?q")
		if got := s.lastRequest().Target.Raw(); got != "/abs?q" {
			t.Errorf("absolute form went as %s", got)
		}
	})
}

func TestNodeFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("x", "Cache-Control: max-age=60, stale-while-revalidate=30", "Surrogate-Key: k1 k2")
		s.get("/a")
		time.Sleep(7 * time.Second)
		got := s.get("/a")
		h := got.Header()
		for name, want := range map[string]string{
			"X-Cache": "HIT", "X-Cache-Hits": "1", "X-Served-By": "cache-n1-LAB", "Age": "7", "Via": "1.1 rescind-n1",
			"Cache-Status": "rescind-n1; hit; ttl=53", "Surrogate-Key": "", "Fastly-Debug-TTL": "",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, h.Get(name), want)
			}
		}
		if !strings.HasPrefix(h.Get("X-Timer"), "S946684807.") || !strings.HasSuffix(h.Get("X-Timer"), ",VS0,VE0") {
			t.Errorf("X-Timer: %s", h.Get("X-Timer"))
		}
		h = s.get("/a", "Fastly-Debug: 1").Header()
		for name, want := range map[string]string{
			"Surrogate-Key": "k1 k2", "Fastly-Debug-Path": "(D cache-n1-LAB 946684807)",
			"X-Cache-Hits": "2",
		} {
			if h.Get(name) != want {
				t.Errorf("debugging, %s: %q, want %q", name, h.Get(name), want)
			}
		}
		spelt := map[string][]string(h) // as those who parse it expect, not as Go would spell it
		if ttl := spelt["Fastly-Debug-TTL"]; len(ttl) != 1 || ttl[0] != "(H cache-n1-LAB 53.000 30.000 7)" {
			t.Errorf("Fastly-Debug-TTL: %q", ttl)
		}
		if len(h.Get("Fastly-Debug-Digest")) != 64 {
			t.Errorf("Fastly-Debug-Digest: %q", h.Get("Fastly-Debug-Digest"))
		}
	})
}

func TestDebugIsForThoseAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(_ *site, v *Service, _ *fetch.Config) {
			v.DebugFrom = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
		})
		s.says("x", "Surrogate-Key: secret")
		if h := s.get("/a", "Fastly-Debug: 1").Header(); h.Get("Surrogate-Key") != "" || h.Get("Fastly-Debug-TTL") != "" {
			t.Errorf("a stranger was shown %v", h)
		}
	})
}

func clientOf(r *http.Request, trusted []netip.Prefix) client {
	a := askOf(r, nil)
	return a.client(trusted)
}

func TestLoopbackGrantsNothingToForwarded(t *testing.T) {
	r := &http.Request{RemoteAddr: "127.0.0.1:1234", Header: http.Header{"X-Forwarded-For": {"127.0.0.1"}}}
	if c := clientOf(r, nil); !c.forwarded || c.addr.String() != "127.0.0.1" {
		t.Errorf("%+v", c)
	}
	c := clientOf(r, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	if c.forwarded || !c.trusted {
		t.Errorf("through a trusted proxy: %+v", c)
	}
	r.Header.Del("X-Forwarded-For")
	if c := clientOf(r, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}); !c.forwarded {
		t.Errorf("a trusted proxy that tells no address is taken for its client: %+v", c)
	}
	r.Header.Set("X-Forwarded-For", "203.0.113.5, 198.51.100.7, 127.0.0.9")
	if c := clientOf(r, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}); c.addr.String() != "198.51.100.7" {
		t.Errorf("the client is %s, want the last address that is not a trusted proxy's", c.addr)
	}
}

func TestRequestDirectivesAreObeyedWhereAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		obeying := newSite(t, func(s *site, _ *Service, _ *fetch.Config) { s.policy.RequestDirectives = httpcache.DirectivesObey })
		ignoring := newSite(t)
		for _, s := range []*site{obeying, ignoring} {
			s.says("one", "Cache-Control: max-age=60", `ETag: "1"`)
			s.get("/a")
			s.says("two", "Cache-Control: max-age=60")
		}
		if got := obeying.get("/b", "Cache-Control: only-if-cached"); got.Code != 504 {
			t.Errorf("only-if-cached without a stored response: %d", got.Code)
		}
		obeying.want(obeying.get("/a", "Cache-Control: no-cache"), "MISS", "two")
		obeying.want(obeying.get("/a"), "HIT", "two")
		ignoring.want(ignoring.get("/a", "Cache-Control: no-cache"), "HIT", "one")
		ignoring.want(ignoring.get("/a", "Cache-Control: no-store", "Pragma: no-cache"), "HIT", "one")
	})
}

func TestInterimAndTrailers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			r.Interim(103, field.Fields{{Name: "Link", Value: "</a.css>; rel=preload"}})
			resp := streamed(200, -1, io.NopCloser(strings.NewReader("body")), "Cache-Control: max-age=60")
			resp.Trailer = func() field.Fields { return field.Fields{{Name: "X-Sum", Value: "1234"}} }
			return resp, nil
		})
		for _, cache := range []string{"MISS", "HIT"} {
			got := s.get("/a")
			s.want(got, cache, "body")
			if cache == "HIT" {
				break // its length is known by now, and HTTP/1 sends trailers only without
			}
			if sum := got.Header().Get(http.TrailerPrefix + "X-Sum"); sum != "1234" {
				t.Errorf("%s: trailer %q", cache, sum)
			}
			if got.Header().Get("Link") != "" {
				t.Errorf("%s: the interim response altered the final one", cache)
			}
		}
	})
}

// Requests of signed-in users for one URL do not wait for each other.
func TestAuthorizedRequestsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			who, _ := r.Fields.Get("Authorization")
			time.Sleep(time.Second)
			return response(200, who, "Cache-Control: max-age=60"), nil
		})
		began, done := time.Now(), make(chan bool, 10)
		for i := range 10 {
			go func() {
				who := "user " + strconv.Itoa(i)
				done <- s.get("/me", "Authorization: "+who).body() == who
			}()
		}
		for range 10 {
			if !<-done {
				t.Error("somebody was given another's answer")
			}
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("ten requests of a second each took %v", took)
		}
	})
}

func TestHitForMissCarriesTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("mine", "Cache-Control: private", "Surrogate-Key: k")
		s.get("/a")
		if n := s.store.Stats().Objects; n != 1 {
			t.Fatalf("%d objects, want one that remembers the outcome", n)
		}
		s.purgeKey("k", purge.Effect{})
		// After the purge the outcome is forgotten too: requests share again.
		s.origin(func(*origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			return response(200, "shared", "Cache-Control: max-age=60"), nil
		})
		done := make(chan seen, 2)
		for range 2 {
			go func() { done <- s.get("/a") }()
		}
		for range 2 {
			s.want(<-done, "MISS", "shared")
		}
		if s.fetches() != 2 {
			t.Errorf("%d requests reached the origin, want 2", s.fetches())
		}
	})
}

func TestOriginFailures(t *testing.T) {
	for _, c := range []struct {
		kind   origin.Kind
		status int
	}{
		{origin.KindConnect, 502}, {origin.KindConnectTimeout, 504}, {origin.KindFirstByteTimeout, 504},
		{origin.KindGarbage, 502}, {origin.KindTooLarge, 502}, {origin.KindBusy, 503}, {origin.KindNoOrigin, 502}, {origin.KindTLS, 502},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			s.origin(func(*origin.Request) (*origin.Response, error) {
				return nil, &origin.Error{Kind: c.kind, Err: errors.New("at 10.1.2.3")}
			})
			got := s.get("/a")
			if got.Code != c.status || got.cache() != "MISS" || got.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v, want %d", c.kind, got.Code, got.Header(), c.status)
			}
			if strings.Contains(got.body(), "10.1.2.3") {
				t.Errorf("%s: the client was told of the inside: %q", c.kind, got.body())
			}
		})
	}
}

func TestReconfigureWaitsForRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			time.Sleep(10 * time.Second)
			return response(200, "old settings"), nil
		})
		done := make(chan seen)
		go func() { done <- s.get("/a") }()
		time.Sleep(time.Second)
		old := s.proxy.now.Load()
		unused := s.proxy.Reconfigure(old.Config)
		select {
		case <-unused:
			t.Error("the old configuration counts as unused while a request uses it")
		default:
		}
		s.want(<-done, "MISS", "old settings")
		<-unused
	})
}

// What this node itself tells the origin may select a variant; what a client
// claims about it may not.
func TestVaryByForwardingFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			proto, _ := r.Fields.Get("X-Forwarded-Proto")
			return response(200, proto, "Cache-Control: max-age=60", "Vary: X-Forwarded-Proto, Accept-Encoding"), nil
		})
		s.want(s.get("/a"), "MISS", "http")
		s.want(s.get("/a"), "HIT", "http")
		s.want(s.get("/a", "X-Forwarded-Proto: https"), "HIT", "http")
	})
}

// Those who wait for a response that is too large to store share its one fetch.
func TestTooLargeIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(_ *site, _ *Service, c *fetch.Config) { c.MaxObject = 10 })
		body := strings.Repeat("x", 100)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			return response(200, body, "Cache-Control: max-age=60"), nil
		})
		done := make(chan seen, 10)
		for range 10 {
			go func() { done <- s.get("/a") }()
		}
		for range 10 {
			s.want(<-done, "MISS", body)
		}
		if s.fetches() != 1 {
			t.Errorf("%d requests reached the origin, want 1", s.fetches())
		}
		s.get("/a")
		if s.fetches() != 2 {
			t.Errorf("it was stored")
		}
		// Known to be too large, a range is the origin's to cut out.
		s.get("/a", "Range: bytes=90-")
		if value, _ := s.lastRequest().Fields.Get("Range"); value != "bytes=90-" {
			t.Errorf("the origin was asked for the range %q", value)
		}
	})
}

// A request whose own body cannot be read is told so: silence would mean 200.
func TestBrokenRequestBody(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{os.ErrDeadlineExceeded, 408}, {errors.New("malformed chunk"), 400}, {&http.MaxBytesError{Limit: 10}, 413},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			s.patient = true
			ctx, cancel := context.WithCancel(context.Background())
			s.origin(func(*origin.Request) (*origin.Response, error) {
				cancel() // net/http cancels the request when its body cannot be read
				return nil, &origin.Error{Kind: origin.KindRequestBody, Err: c.err}
			})
			if got := s.send(ctx, "POST", "/a", strings.NewReader("x")); got.Code != c.status || got.cut {
				t.Errorf("%v: %d, cut %v, want %d", c.err, got.Code, got.cut, c.status)
			}
		})
	}
}

func TestCacheStatusTellsVaryMiss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("x", "Cache-Control: max-age=60", "Vary: Accept-Language")
		s.get("/a", "Accept-Language: en")
		if got := s.get("/a", "Accept-Language: de").Header().Get("Cache-Status"); got != "rescind-n1; fwd=vary-miss; fwd-status=200; stored" {
			t.Error(got)
		}
	})
}

func TestRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []event.Request
		s := newSite(t)
		cfg := s.proxy.now.Load().Config
		cfg.Done = func(e *event.Request) { got = append(got, *e) }
		cfg.Purge = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "purged") })
		s.proxy.Reconfigure(cfg)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			resp := response(200, "hello", "Cache-Control: max-age=60", "Surrogate-Key: k")
			resp.Address = "10.0.0.1:80"
			return resp, nil
		})
		s.get("/a?x")
		time.Sleep(5 * time.Second)
		s.get("/a?x")
		s.purgeKey("k", purge.Effect{})
		s.get("/a?x", "Range: bytes=0-1")
		s.do("PURGE", "/a?x")
		s.get("/", "Host: nowhere.example")
		s.origin(func(*origin.Request) (*origin.Response, error) {
			broken := &origin.Error{Kind: origin.KindTruncated, Err: io.ErrUnexpectedEOF}
			return streamed(200, 50, drip(2, 10, broken)), nil
		})
		s.get("/cut")
		for i, want := range []event.Request{
			{Service: "shop", Status: 200, Bytes: 5, Duration: time.Second, FirstByte: time.Second, Outcome: event.OutcomeMiss, Origin: "10.0.0.1:80", OriginStatus: 200, Age: time.Second},
			{Service: "shop", Status: 200, Bytes: 5, Outcome: event.OutcomeHit, Reason: "fresh", Age: 6 * time.Second, Hits: 1},
			{Service: "shop", Status: 206, Bytes: 2, Duration: time.Second, FirstByte: time.Second, Outcome: event.OutcomeMiss, Reason: "purged", Origin: "10.0.0.1:80", OriginStatus: 200, Age: time.Second},
			{Service: "shop", Status: 200, Bytes: 6, Outcome: event.OutcomePurge},
			{Status: 421, Outcome: event.OutcomeError, Reason: "unknown-host"},
			{Service: "shop", Status: 200, Bytes: 20, Cut: true, Duration: 3 * time.Second, FirstByte: 0, Outcome: event.OutcomeMiss, Reason: "no-freshness", OriginStatus: 200},
		} {
			if i >= len(got) {
				t.Fatalf("%d records, want more", len(got))
			}
			e := got[i]
			have := event.Request{
				Service: e.Service, Status: e.Status, Bytes: e.Bytes, Duration: e.Duration, FirstByte: e.FirstByte, Outcome: e.Outcome,
				Reason: e.Reason, Origin: e.Origin, OriginStatus: e.OriginStatus, Age: e.Age, Hits: e.Hits, Cut: e.Cut,
			}
			if i == 4 {
				have.Bytes = 0 // the length of our own words
			}
			if !reflect.DeepEqual(have, want) {
				t.Errorf("record %d:\n got %+v\nwant %+v", i, have, want)
			}
		}
	})
}

func TestRewriteAndErrorPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(_ *site, v *Service, _ *fetch.Config) {
			v.Request = Rewrite{Remove: []string{"Cookie"}, Set: field.Fields{{Name: "X-Edge", Value: "1"}}}
			v.Response = Rewrite{Remove: []string{"Server", "X-Timer"}, Set: field.Fields{{Name: "X-Frame-Options", Value: "DENY"}}}
			v.ErrorPage = func(status int, reason, id string) (Page, bool) {
				return Page{"text/html", []byte(strconv.Itoa(status) + " " + id)}, status == 502
			}
		})
		s.says("x", "Cache-Control: max-age=60", "Server: secret", "Vary: Cookie")
		for _, cache := range []string{"MISS", "HIT"} {
			got := s.get("/a", "Cookie: "+cache)
			s.want(got, cache, "x") // all cookies are one to an origin that is sent none
			if h := got.Header(); h.Get("Server") != "" || h.Get("X-Timer") != "" || h.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%v", h)
			}
		}
		if f := s.lastRequest().Fields; f.Has("Cookie") || !f.Has("X-Edge") {
			t.Errorf("the origin was sent %v", f)
		}
		s.origin(func(*origin.Request) (*origin.Response, error) { return nil, errors.New("down") })
		got := s.get("/b")
		if got.Code != 502 || got.Header().Get("Content-Type") != "text/html" || len(got.body()) != len("502 0123456789abcdef") {
			t.Errorf("%d %v %q", got.Code, got.Header(), got.body())
		}
	})
}
