package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
)

// drip is an origin's body of n parts, one a second.
func drip(parts int, size int, end error) io.ReadCloser {
	return &dripping{left: parts, part: bytes.Repeat([]byte("x"), size), end: end}
}

type dripping struct {
	mu   sync.Mutex
	left int
	part []byte
	end  error
	shut bool
}

func (d *dripping) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return 0, errors.New("closed")
	}
	if d.left == 0 {
		return 0, d.end
	}
	d.left--
	return copy(p, d.part), nil
}

func (d *dripping) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	return nil
}

func TestRequestsShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			return streamed(200, -1, drip(5, 10, io.EOF), "Cache-Control: max-age=60"), nil
		})
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond) // some before the head, some in the body
				if got := s.get("/a"); got.body() != strings.Repeat("x", 50) {
					t.Errorf("request %d got %q", i, got.body())
				}
			})
		}
		all.Wait()
		if s.fetches() != 1 {
			t.Errorf("%d requests reached the origin, want 1", s.fetches())
		}
		if got := s.get("/a"); got.cache() != "HIT" || got.Header().Get("Content-Length") != "50" {
			t.Errorf("afterwards: %s, Content-Length %q", got.cache(), got.Header().Get("Content-Length"))
		}
	})
}

func TestDifferentVariantsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			lang, _ := r.Fields.Get("Accept-Language")
			if lang == "slow" {
				time.Sleep(time.Minute)
			}
			return response(200, lang, "Cache-Control: max-age=1", "Vary: Accept-Language"), nil
		})
		s.get("/a", "Accept-Language: en") // now it is known by what the responses differ
		time.Sleep(2 * time.Second)
		go s.get("/a", "Accept-Language: slow")
		time.Sleep(time.Second)
		began := time.Now()
		s.want(s.get("/a", "Accept-Language: de"), "MISS", "de")
		if waited := time.Since(began); waited > 0 {
			t.Errorf("it waited %v for another variant", waited)
		}
	})
}

// Answers that must not be shared cost those who waited for the first of them
// one fetch each, and do not make later requests wait at all.
func TestPrivateAnswersAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			who, _ := r.Fields.Get("Cookie")
			time.Sleep(time.Second)
			return response(200, who, "Cache-Control: private, max-age=60"), nil
		})
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				if got := s.get("/me", fmt.Sprint("Cookie: ", i)); got.body() != fmt.Sprint(i) {
					t.Errorf("user %d was given %q", i, got.body())
				}
			})
		}
		all.Wait()
		began := time.Now()
		for i := range 5 {
			all.Go(func() { s.get("/me", fmt.Sprint("Cookie: ", i)) })
		}
		all.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("known to be private, five requests took %v: one waited for another", took)
		}
	})
}

func TestFailingOriginIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			return response(503, "secret trace"), nil
		})
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if got := s.get("/a"); got.Code != 503 {
					t.Errorf("status %d", got.Code)
				}
			})
		}
		all.Wait()
		if s.fetches() != 1 {
			t.Errorf("%d requests reached the failing origin, want 1", s.fetches())
		}
	})
}

func TestClientThatLeavesDoesNotBreakOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			return streamed(200, -1, drip(5, 10, io.EOF), "Cache-Control: max-age=60"), nil
		})
		ctx, leave := context.WithCancel(context.Background())
		go s.send(ctx, http.MethodGet, "/a", nil) // causes the fetch
		time.Sleep(1500 * time.Millisecond)
		other := make(chan seen)
		go func() { other <- s.get("/a") }()
		time.Sleep(time.Second)
		leave()
		s.want(<-other, "MISS", strings.Repeat("x", 50))
	})
}

func TestFetchWithoutReaders(t *testing.T) {
	for _, c := range []struct {
		name     string
		length   int64
		part     int
		finishes bool
	}{
		{"small", 5000, 1000, true},
		{"large and far from its end", 5 << 20, 1 << 10, false},
		{"of unknown length, small so far", -1, 1000, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.origin(func(*origin.Request) (*origin.Response, error) {
					return streamed(200, c.length, drip(5, c.part, io.EOF), "Cache-Control: max-age=60"), nil
				})
				ctx, leave := context.WithCancel(context.Background())
				go s.send(ctx, http.MethodGet, "/a", nil)
				time.Sleep(1500 * time.Millisecond)
				leave()
				time.Sleep(10 * time.Second)
				s.says("another", "Cache-Control: max-age=60")
				want := "MISS"
				if c.finishes {
					want = "HIT"
				}
				if got := s.get("/a"); got.cache() != want {
					t.Errorf("afterwards: %s, want %s", got.cache(), want)
				}
			})
		})
	}
}

// slowWriter is a client that takes a second for each write.
type slowWriter struct {
	seen
	per time.Duration
}

func (w *slowWriter) Write(p []byte) (int, error) {
	time.Sleep(w.per)
	return w.seen.Write(p)
}

func TestSlowClientDoesNotSlowOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		body := strings.Repeat("0123456789abcdef", 64<<10) // 1 MiB
		s.says(body, "Cache-Control: max-age=60")
		slow := &slowWriter{seen: newSeen(), per: time.Minute}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.proxy.ServeHTTP(slow, s.request(context.Background(), http.MethodGet, "/a", nil))
		}()
		synctest.Wait()
		began := time.Now()
		if got := s.get("/a"); got.body() != body {
			t.Errorf("got %d bytes", got.Body.Len())
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("the fast client waited %v", took)
		}
		<-done
		if slow.body() != body {
			t.Errorf("the slow client got %d bytes", slow.Body.Len())
		}
	})
}

// A body larger than the store is streamed at the pace of whoever is fastest;
// one who falls out of the window goes on with a range request, if the origin's
// validator allows it.
func TestSlowReaderOfStreamedBodyResumes(t *testing.T) {
	for _, validator := range []bool{true, false} {
		t.Run(fmt.Sprint("validator ", validator), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, func(_ *site, _ *Service, c *fetch.Config) { c.MaxObject, c.Window = 100<<10, 128<<10 })
				body := strings.Repeat("0123456789abcdef", 64<<10) // 1 MiB
				fields := []string{"Cache-Control: max-age=60"}
				if validator {
					fields = append(fields, `ETag: "v1"`)
				}
				s.origin(func(r *origin.Request) (*origin.Response, error) {
					if value, ok := r.Fields.Get("Range"); ok {
						var from int
						fmt.Sscanf(value, "bytes=%d-", &from)
						part := response(206, body[from:], fields...)
						part.Fields = part.Fields.Add("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
						return part, nil
					}
					return streamed(200, -1, io.NopCloser(strings.NewReader(body)), fields...), nil
				})
				slow := &slowWriter{seen: newSeen(), per: time.Second}
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { slow.cut = recover() != nil }()
					s.proxy.ServeHTTP(slow, s.request(context.Background(), http.MethodGet, "/a", nil))
				}()
				synctest.Wait()
				if got := s.get("/a"); got.body() != body {
					t.Errorf("the fast client got %d bytes, cut %v", got.Body.Len(), got.cut)
				}
				<-done
				if validator && slow.body() != body || !validator && !slow.cut && slow.body() != body {
					t.Errorf("the slow client got %d bytes, cut %v", slow.Body.Len(), slow.cut)
				}
			})
		})
	}
}

func TestRangesFromCacheAndFromFillingBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			return streamed(200, 50, drip(5, 10, io.EOF), "Cache-Control: max-age=60", `ETag: "v"`, "Content-Type: text/plain"), nil
		})
		filling := make(chan seen, 2)
		go func() { filling <- s.get("/a", "Range: bytes=5-14") }()
		time.Sleep(time.Second / 2)
		began := time.Now()
		got := s.get("/a", "Range: bytes=12-16")
		if got.Code != 206 || got.Header().Get("Content-Range") != "bytes 12-16/50" || got.Body.Len() != 5 {
			t.Errorf("from the filling body: %d %v", got.Code, got.Header())
		}
		if waited := time.Since(began); waited > 2*time.Second {
			t.Errorf("waited %v for bytes that were there after 2 s", waited)
		}
		if got := <-filling; got.Code != 206 || got.Body.Len() != 10 {
			t.Errorf("the first: %d, %d bytes", got.Code, got.Body.Len())
		}
		if s.lastRequest().Fields.Has("Range") {
			t.Error("the shared fetch was sent one client's range")
		}
		time.Sleep(10 * time.Second)
		for _, c := range []struct {
			fields []string
			status int
			says   string
			length int
		}{
			{[]string{"Range: bytes=0-9"}, 206, "bytes 0-9/50", 10},
			{[]string{"Range: bytes=-5"}, 206, "bytes 45-49/50", 5},
			{[]string{"Range: bytes=45-999"}, 206, "bytes 45-49/50", 5},
			{[]string{"Range: bytes=50-"}, 416, "bytes */50", 0},
			{[]string{"Range: lines=1-2"}, 200, "", 50},
			{[]string{"Range: bytes=9-1"}, 200, "", 50},
			{[]string{"Range: bytes=0-9", `If-Range: "v"`}, 206, "bytes 0-9/50", 10},
			{[]string{"Range: bytes=0-9", `If-Range: "w"`}, 200, "", 50},
			{[]string{"Range: bytes=0-9", `If-Range: W/"v"`}, 200, "", 50},
			{[]string{"Range: bytes=99999999999999999999-"}, 416, "bytes */50", 0},
		} {
			got := s.get("/a", c.fields...)
			if got.Code != c.status || got.Header().Get("Content-Range") != c.says || got.Body.Len() != c.length {
				t.Errorf("%v: %d %q %d bytes", c.fields, got.Code, got.Header().Get("Content-Range"), got.Body.Len())
			}
		}
		several := s.get("/a", "Range: bytes=0-1,40-")
		if several.Code != 206 || !strings.HasPrefix(several.Header().Get("Content-Type"), "multipart/byteranges; boundary=") ||
			several.Header().Get("Content-Length") != fmt.Sprint(several.Body.Len()) ||
			!strings.Contains(several.body(), "Content-Range: bytes 0-1/50\r\n\r\nxx\r\n--") || !strings.Contains(several.body(), "Content-Range: bytes 40-49/50") {
			t.Errorf("several ranges: %d %v\n%s", several.Code, several.Header(), several.body())
		}
		if s.fetches() != 1 {
			t.Errorf("%d requests reached the origin", s.fetches())
		}
	})
}

// A purge in the middle of a long body: those who came before read on, those
// who come after do not join.
func TestPurgeWhileBodyFills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			if s.fetches() > 1 {
				return response(200, "new", "Cache-Control: max-age=600", "Surrogate-Key: k"), nil
			}
			return streamed(200, -1, drip(10, 1, io.EOF), "Cache-Control: max-age=600", "Surrogate-Key: k"), nil
		})
		before := make(chan seen)
		go func() { before <- s.get("/a") }()
		time.Sleep(3 * time.Second)
		s.purgeKey("k", purge.Effect{})
		s.want(s.get("/a"), "MISS", "new")
		s.want(<-before, "MISS", strings.Repeat("x", 10))
		s.want(s.get("/a"), "HIT", "new") // what was purged did not replace what is newer
	})
}

// TestWhatCannotBeSharedIsRememberedByMany: each answer replaces what was remembered
// of the last, while others look at that. The race detector sees who looks too late.
func TestWhatCannotBeSharedIsRememberedByMany(t *testing.T) {
	s := newSite(t)
	s.says("own", "Cache-Control: max-age=60", "Set-Cookie: a=b")
	s.get("/a")
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for range 200 {
				if got := s.get("/a"); got.body() != "own" || got.cache() != "MISS" {
					t.Errorf("%d %q %q", got.Code, got.cache(), got.body())
					return
				}
			}
		})
	}
	asking.Wait()
}
