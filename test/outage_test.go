//go:build e2e

package test

import (
	"sync/atomic"
	"testing"
)

// noEjection keeps an origin in use that fails, so that its return shows at
// once.
const noEjection = "origin: {passive: {failures: 0}}\n"

func TestOriginDownAndBack(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	for _, page := range []string{"/lenient.html", "/strict/page.html", "/plain/page.html", "/fresh.html"} {
		origin.write(page, "old")
	}
	n := startNode(t, settings{origin: origin.url(), service: noEjection})
	for _, page := range []string{"/lenient.html", "/strict/page.html", "/plain/page.html"} {
		n.get(page)
		n.get(page, "--request", "PURGE", "--header", soft)
	}
	n.get("/fresh.html")
	origin.stop()

	for _, c := range []struct {
		name, path string
		status     int
		want       string
	}{
		{"what is not stored", "/new.html", 502, "MISS"},
		{"what is fresh", "/fresh.html", 200, "HIT"},
		{"what may be stale then", "/lenient.html", 200, "HIT"},
		{"what may be stale then, again", "/lenient.html", 200, "HIT"},
		{"what must be revalidated", "/strict/page.html", 504, "MISS"},
		{"what may not be stale", "/plain/page.html", 502, "MISS"},
	} {
		got := n.get(c.path)
		if got.status != c.status || got.header.Get("X-Cache") != c.want {
			t.Errorf("%s: %v, want %d %s", c.name, got, c.status, c.want)
		}
		if got.status >= 500 && got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: others may store the failure: %v", c.name, got.header)
		}
	}

	for _, page := range []string{"/lenient.html", "/strict/page.html", "/plain/page.html", "/new.html"} {
		origin.write(page, "new")
	}
	origin.again()
	expect(t, "what is not stored", n.get("/new.html"), "200 MISS new")
	expect(t, "what must be revalidated", n.get("/strict/page.html"), "200 MISS new")
	expect(t, "what may not be stale", n.get("/plain/page.html"), "200 MISS new")
	eventually(t, "what was stale meanwhile", func() bool { return n.get("/lenient.html").String() == "200 HIT new" })
}

// Past its window for revalidation behind a client's back, a stale response
// stands in only for a failure.
func TestStaleIfError(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	origin := startRaw(t, map[string]script{"/": func(x *exchange) bool {
		if broken.Load() {
			x.say("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops")
			return true
		}
		x.say("HTTP/1.1 200 OK\r\nCache-Control: max-age=600, stale-if-error=600\r\nContent-Length: 2\r\n\r\nok")
		return true
	}})
	n := startNode(t, settings{origin: origin.url(), service: noEjection})
	n.get("/")
	n.get("/", "--request", "PURGE", "--header", soft)
	broken.Store(true)
	expect(t, "while the origin fails", n.get("/"), "200 HIT ok")
	expect(t, "and again", n.get("/"), "200 HIT ok")
	n.get("/", "--request", "PURGE")
	expect(t, "after a hard purge nothing stands in", n.get("/"), "500 MISS oops")
	broken.Store(false)
	expect(t, "once the origin works", n.get("/"), "200 MISS ok")
}
