package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestMissThenHitThenExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("one", "Cache-Control: max-age=60")
		s.want(s.get("/a"), "MISS", "one")
		s.says("two", "Cache-Control: max-age=60")
		time.Sleep(59 * time.Second)
		got := s.get("/a")
		s.want(got, "HIT", "one")
		if age := got.Header().Get("Age"); age != "59" {
			t.Errorf("Age: %s, want 59", age)
		}
		time.Sleep(time.Second)
		s.want(s.get("/a"), "MISS", "two")
	})
}

func TestPurgeTakesEffectAtOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		sel  func() (purge.Selector, error)
		gone bool
	}{
		{"key", func() (purge.Selector, error) { return purge.Key("k1") }, true},
		{"another key", func() (purge.Selector, error) { return purge.Key("k3") }, false},
		{"url", func() (purge.Selector, error) { return purge.URL("//shop.example/dir/a?y&x=1") }, true},
		{"url of one scheme", func() (purge.Selector, error) { return purge.URL("http://shop.example/dir/a?x=1&y=") }, true},
		{"url of the other scheme", func() (purge.Selector, error) { return purge.URL("https://shop.example/dir/a?x=1&y=") }, false},
		{"url without its query", func() (purge.Selector, error) { return purge.URL("//shop.example/dir/a") }, false},
		{"path", func() (purge.Selector, error) { return purge.Path("shop.example/dir") }, true},
		{"path on any host", func() (purge.Selector, error) { return purge.Path("/dir/") }, true},
		{"path that is no segment", func() (purge.Selector, error) { return purge.Path("/di") }, false},
		{"host", func() (purge.Selector, error) { return purge.Host("SHOP.example:8443") }, true},
		{"another host", func() (purge.Selector, error) { return purge.Host("x.shop.example") }, false},
		{"all", func() (purge.Selector, error) { return purge.All(), nil }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.says("one", "Cache-Control: max-age=60", "Surrogate-Key: k1 k2")
				s.get("/dir/a?x=1&y")
				s.says("two", "Cache-Control: max-age=60", "Surrogate-Key: k1 k2")
				sel, err := c.sel()
				if err != nil {
					t.Fatal(err)
				}
				s.apply(sel, purge.Effect{})
				if c.gone {
					got := s.get("/dir/a?x=1&y")
					s.want(got, "MISS", "two")
					if status := got.Header().Get("Cache-Status"); !strings.Contains(status, "purged") {
						t.Errorf("Cache-Status does not say why: %s", status)
					}
				} else {
					s.want(s.get("/dir/a?x=1&y"), "HIT", "one")
				}
			})
		})
	}
}

func TestPurgeTakesAllVariants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		generation := 1
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			lang, _ := r.Fields.Get("Accept-Language")
			return response(200, fmt.Sprint(lang, generation), "Cache-Control: max-age=60", "Vary: Accept-Language"), nil
		})
		s.want(s.get("/a", "Accept-Language: en"), "MISS", "en1")
		s.want(s.get("/a", "Accept-Language: de"), "MISS", "de1")
		s.want(s.get("/a", "Accept-Language: en"), "HIT", "en1")
		s.want(s.get("/a", "Accept-Language: de"), "HIT", "de1")
		generation = 2
		sel, _ := purge.URL("shop.example/a")
		s.apply(sel, purge.Effect{})
		s.want(s.get("/a", "Accept-Language: de"), "MISS", "de2")
		s.want(s.get("/a", "Accept-Language: en"), "MISS", "en2")
	})
}

func TestSoftPurgeWithoutStaleWindowRevalidates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("one", "Cache-Control: max-age=60", "Surrogate-Key: k", `ETag: "1"`)
		s.get("/a")
		s.purgeKey("k", purge.SoftEffect())
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			if tag, _ := r.Fields.Get("If-None-Match"); tag != `"1"` {
				t.Errorf("If-None-Match: %q, want the stored ETag", tag)
			}
			return response(304, "", "Cache-Control: max-age=60", `ETag: "1"`), nil
		})
		s.want(s.get("/a"), "MISS", "one") // the origin confirmed it
		s.want(s.get("/a"), "HIT", "one")
		if s.fetches() != 2 {
			t.Errorf("%d requests reached the origin, want 2", s.fetches())
		}
	})
}

func TestSoftPurgeServesStaleWhileItRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("one", "Cache-Control: max-age=60, stale-while-revalidate=30", "Surrogate-Key: k")
		s.get("/a")
		s.purgeKey("k", purge.SoftEffect())
		s.origin(func(*origin.Request) (*origin.Response, error) {
			time.Sleep(5 * time.Second)
			return response(200, "two", "Cache-Control: max-age=60, stale-while-revalidate=30", "Surrogate-Key: k"), nil
		})
		for range 10 {
			s.want(s.get("/a"), "HIT", "one")
		}
		time.Sleep(6 * time.Second)
		s.want(s.get("/a"), "HIT", "two")
		if s.fetches() != 2 {
			t.Errorf("%d requests reached the origin, want 2: one refresh at a time", s.fetches())
		}
	})
}

// A refresh that began before a purge must not keep a newer one from starting,
// nor may what it brings count as new.
func TestRefreshOlderThanPurgeDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		fields := []string{"Cache-Control: max-age=60, stale-while-revalidate=3600", "Surrogate-Key: k"}
		s.says("one", fields...)
		s.get("/a")
		var generation atomic.Value
		generation.Store("two")
		s.origin(func(*origin.Request) (*origin.Response, error) {
			body := generation.Load().(string) // as it is when the origin reads its database
			time.Sleep(10 * time.Second)
			return response(200, body, fields...), nil
		})
		s.purgeKey("k", purge.SoftEffect())
		s.want(s.get("/a"), "HIT", "one") // starts the first refresh
		time.Sleep(time.Second)
		generation.Store("three")
		s.purgeKey("k", purge.SoftEffect())
		s.want(s.get("/a"), "HIT", "one") // must start another
		time.Sleep(20 * time.Second)
		s.want(s.get("/a"), "HIT", "three")
		if s.fetches() != 3 {
			t.Errorf("%d requests reached the origin, want 3", s.fetches())
		}
	})
}

func TestRepeatedSoftPurgeNeverLengthens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(s *site, _ *Service, _ *fetch.Config) { s.policy.DefaultKeep = 0 })
		s.says("one", "Cache-Control: max-age=60, stale-while-revalidate=20", "Surrogate-Key: k")
		s.get("/a")
		s.origin(func(*origin.Request) (*origin.Response, error) { return nil, errors.New("down") })
		for range 19 {
			s.purgeKey("k", purge.SoftEffect())
			time.Sleep(time.Second)
			s.want(s.get("/a"), "HIT", "one")
		}
		time.Sleep(time.Second)
		if got := s.get("/a"); got.Code != 502 {
			t.Errorf("20 s after the first soft purge: %d %q, want 502", got.Code, got.body())
		}
	})
}

func TestStaleIfError(t *testing.T) {
	down := func(*origin.Request) (*origin.Response, error) {
		return nil, &origin.Error{Kind: origin.KindConnect, Err: errors.New("refused")}
	}
	slow := func(*origin.Request) (*origin.Response, error) {
		return nil, &origin.Error{Kind: origin.KindFirstByteTimeout, Err: errors.New("slow")}
	}
	failing := func(*origin.Request) (*origin.Response, error) { return response(500, "oops"), nil }
	for _, c := range []struct {
		name    string
		control string
		answer  func(*origin.Request) (*origin.Response, error)
		status  int
	}{
		{"connection refused", "max-age=10, stale-if-error=60", down, 200},
		{"timeout", "max-age=10, stale-if-error=60", slow, 200},
		{"server error", "max-age=10, stale-if-error=60", failing, 200},
		{"no window, refused", "max-age=10", down, 502},
		{"no window, timeout", "max-age=10", slow, 504},
		{"no window, server error", "max-age=10", failing, 500},
		{"must-revalidate", "max-age=10, stale-if-error=60, must-revalidate", down, 504},
		{"s-maxage", "s-maxage=10", down, 504},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.says("one", "Cache-Control: "+c.control, `ETag: "1"`)
				s.get("/a")
				time.Sleep(11 * time.Second)
				s.origin(c.answer)
				got := s.get("/a")
				if got.Code != c.status {
					t.Fatalf("status %d, want %d (%s)", got.Code, c.status, got.Header().Get("Cache-Status"))
				}
				if c.status == 200 {
					s.want(got, "HIT", "one")
				}
			})
		})
	}
}

func TestHardPurgedIsNotServedOnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("one", "Cache-Control: max-age=10, stale-if-error=3600", "Surrogate-Key: k")
		s.get("/a")
		s.purgeKey("k", purge.Effect{})
		s.origin(func(*origin.Request) (*origin.Response, error) { return nil, errors.New("down") })
		if got := s.get("/a"); got.Code != 502 || strings.Contains(got.body(), "one") {
			t.Errorf("got %d %q, want 502", got.Code, got.body())
		}
	})
}

func TestRevertBringsObjectsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("one", "Cache-Control: max-age=600", "Surrogate-Key: k")
		s.get("/a")
		id := s.apply(purge.All(), purge.Effect{})
		if undo := s.engine.Revert(time.Now().UnixNano(), id); undo != purge.Undone {
			t.Fatal(undo)
		}
		s.want(s.get("/a"), "HIT", "one")
	})
}

// A 304 may give an object other tags: from then on those count, and only
// those.
func TestRevalidationChangesTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("one", "Cache-Control: max-age=10", `ETag: "1"`, "Surrogate-Key: old")
		s.get("/a")
		time.Sleep(11 * time.Second)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			return response(304, "", "Cache-Control: max-age=600", `ETag: "1"`, "Surrogate-Key: new"), nil
		})
		s.want(s.get("/a"), "MISS", "one")
		s.purgeKey("old", purge.Effect{})
		s.want(s.get("/a"), "HIT", "one")
		s.says("two", "Cache-Control: max-age=600", "Surrogate-Key: new")
		s.purgeKey("new", purge.Effect{})
		s.want(s.get("/a"), "MISS", "two")
	})
}

// A purge that arrives while the origin confirms a stored response makes that
// confirmation worthless: the origin is asked again, without conditions.
func TestPurgeDuringRevalidation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("one", "Cache-Control: max-age=10", `ETag: "1"`, "Surrogate-Key: k")
		s.get("/a")
		time.Sleep(11 * time.Second)
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			if r.Fields.Has("If-None-Match") {
				time.Sleep(5 * time.Second)
				return response(304, "", "Cache-Control: max-age=600", `ETag: "1"`), nil
			}
			return response(200, "two", "Cache-Control: max-age=600", "Surrogate-Key: k"), nil
		})
		done := make(chan seen)
		go func() { done <- s.get("/a") }()
		time.Sleep(time.Second)
		s.purgeKey("k", purge.Effect{})
		s.want(<-done, "MISS", "two")
		s.want(s.get("/a"), "HIT", "two")
	})
}

// What a fetch brings that began before a purge is not served to anybody who
// comes after it.
func TestFetchInFlightIsPurged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			body := fmt.Sprint("fetch ", s.fetches())
			time.Sleep(5 * time.Second)
			return response(200, body, "Cache-Control: max-age=600", "Surrogate-Key: k"), nil
		})
		before := make(chan seen)
		go func() { before <- s.get("/a") }()
		time.Sleep(time.Second)
		s.purgeKey("k", purge.Effect{}) // the response is not there yet, but its fetch began
		after := make(chan seen, 2)
		go func() { after <- s.get("/a") }()
		go func() { after <- s.get("/a") }()
		s.want(<-before, "MISS", "fetch 1")
		for range 2 {
			s.want(<-after, "MISS", "fetch 2")
		}
		s.want(s.get("/a"), "HIT", "fetch 2")
		if s.fetches() != 2 {
			t.Errorf("%d requests reached the origin; those refused must share one", s.fetches())
		}
	})
}

func TestUnsafeMethodInvalidates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("one", "Cache-Control: max-age=600")
		for _, path := range []string{"/a", "/b", "/c"} {
			s.get(path)
		}
		s.origin(func(r *origin.Request) (*origin.Response, error) {
			if r.Method == "POST" {
				return response(201, "", "Location: /b", "Content-Location: http://other.example/c"), nil
			}
			return response(200, "two", "Cache-Control: max-age=600"), nil
		})
		s.do("POST", "/a")
		s.want(s.get("/a"), "MISS", "two")
		s.want(s.get("/b"), "MISS", "two")
		s.want(s.get("/c"), "HIT", "one")
		s.origin(func(r *origin.Request) (*origin.Response, error) { return response(500, ""), nil })
		s.do("DELETE", "/a")
		s.want(s.get("/a"), "HIT", "two")
		s.origin(func(r *origin.Request) (*origin.Response, error) { return response(200, ""), nil })
		s.do("FROB", "/a") // unknown methods count as unsafe
		s.want(s.get("/a"), "MISS", "")
	})
}

func TestHeadIsAnsweredFromGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.says("hello", "Cache-Control: max-age=600")
		got := s.do("HEAD", "/a")
		if got.body() != "" || got.Header().Get("Content-Length") != "5" {
			t.Errorf("HEAD: body %q, Content-Length %s", got.body(), got.Header().Get("Content-Length"))
		}
		if s.lastRequest().Method != "GET" {
			t.Errorf("the origin was asked by %s", s.lastRequest().Method)
		}
		synctest.Wait() // for the body, which the HEAD did not wait for
		s.want(s.get("/a"), "HIT", "hello")
		if got := s.do("HEAD", "/a"); got.cache() != "HIT" || got.body() != "" {
			t.Errorf("HEAD again: %s %q", got.cache(), got.body())
		}
	})
}

func TestConditionsAreAnsweredFromCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		changed := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
		s.says("hello", "Cache-Control: max-age=600", `ETag: "v1"`, "Last-Modified: "+changed, "Surrogate-Key: k", "Content-Type: text/plain")
		s.get("/a")
		for _, c := range []struct {
			field  string
			status int
		}{
			{`If-None-Match: "v1"`, 304},
			{`If-None-Match: W/"v1"`, 304},
			{`If-None-Match: "v0", "v1"`, 304},
			{`If-None-Match: *`, 304},
			{`If-None-Match: "v2"`, 200},
			{"If-Modified-Since: " + changed, 304},
			{"If-Modified-Since: Thu, 01 Jan 1998 00:00:00 GMT", 200},
			{`If-Match: "v2"`, 412},
			{`If-Match: "v1"`, 200},
			{"If-Unmodified-Since: Thu, 01 Jan 1998 00:00:00 GMT", 412},
		} {
			got := s.get("/a", c.field)
			if got.Code != c.status {
				t.Errorf("%s: %d, want %d", c.field, got.Code, c.status)
			}
			if got.Code == 304 && (got.body() != "" || got.Header().Get("ETag") != `"v1"` || got.Header().Get("Content-Length") != "") {
				t.Errorf("%s: 304 with body %q and %v", c.field, got.body(), got.Header())
			}
			if got.Header().Get("Surrogate-Key") != "" {
				t.Errorf("%s: the tags were delivered", c.field)
			}
		}
		if s.fetches() != 1 {
			t.Errorf("%d requests reached the origin", s.fetches())
		}
	})
}

func TestNegativeAndUncacheable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(s *site, _ *Service, _ *fetch.Config) {
			s.policy.NegativeTTL = map[int]time.Duration{404: 10 * time.Second}
		})
		s.origin(func(*origin.Request) (*origin.Response, error) { return response(404, "none"), nil })
		s.get("/gone")
		s.want(s.get("/gone"), "HIT", "none")
		time.Sleep(11 * time.Second)
		s.want(s.get("/gone"), "MISS", "none")

		s.says("mine", "Cache-Control: private")
		s.want(s.get("/me"), "MISS", "mine")
		s.want(s.get("/me"), "MISS", "mine")
		s.says("cookie", "Cache-Control: max-age=60", "Set-Cookie: a=b")
		s.want(s.get("/cookie"), "MISS", "cookie")
		s.want(s.get("/cookie"), "MISS", "cookie")
		s.says("now shared", "Cache-Control: max-age=60")
		s.want(s.get("/cookie"), "MISS", "now shared") // an uncacheable answer is remembered, but not for good
		s.want(s.get("/cookie"), "HIT", "now shared")
	})
}
