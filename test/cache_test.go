//go:build e2e

package test

import (
	"cmp"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestMissThenHit(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/products/1.html", "one")
	n := startNode(t, settings{origin: origin.url()})

	first := n.get("/products/1.html")
	expect(t, "the first request", first, "200 MISS one")
	second := n.get("/products/1.html")
	expect(t, "the second request", second, "200 HIT one")
	for _, name := range []string{"Etag", "Last-Modified", "Content-Type", "Cache-Control", "Content-Length", "Date", "X-Origin-Request"} {
		if got, want := second.header.Get(name), first.header.Get(name); got != want || want == "" {
			t.Errorf("%s of the hit is %q, and was %q", name, got, want)
		}
	}
	if got := second.header.Get("Cache-Status"); !strings.HasPrefix(got, "rescind-e2e; hit; ttl=") {
		t.Errorf("Cache-Status of the hit is %q", got)
	}
	if keys, ok := second.header["Surrogate-Key"]; ok {
		t.Errorf("clients are shown the surrogate keys %q", keys)
	}
	debug := n.get("/products/1.html", "--header", "Fastly-Debug: 1")
	if got := debug.header.Get("Surrogate-Key"); got != "product-1 products" {
		t.Errorf("to who debugs, the surrogate keys are %q", got)
	}
	eventually(t, "Age of the hit grows", func() bool {
		age, err := strconv.Atoi(n.get("/products/1.html").header.Get("Age"))
		return err == nil && age >= 1
	})
	if asked := n.asked(); asked != 1 {
		t.Errorf("the origin was asked %d times", asked)
	}
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/page.html", "content")
	n := startNode(t, settings{origin: origin.url()})
	stored := n.get("/page.html")
	etag, changed := stored.header.Get("ETag"), stored.header.Get("Last-Modified")

	const before, after = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
	for _, c := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"If-None-Match with its tag", []string{"If-None-Match: " + etag}, "304 HIT"},
		{"If-None-Match with its tag, weak, in a list", []string{`If-None-Match: "other", W/` + etag}, "304 HIT"},
		{"If-None-Match: *", []string{"If-None-Match: *"}, "304 HIT"},
		{"If-None-Match with another tag", []string{`If-None-Match: "other"`}, "200 HIT content"},
		{"If-Modified-Since its date", []string{"If-Modified-Since: " + changed}, "304 HIT"},
		{"If-Modified-Since an older date", []string{"If-Modified-Since: " + before}, "200 HIT content"},
		{"the tag goes before the date", []string{`If-None-Match: "other"`, "If-Modified-Since: " + after}, "200 HIT content"},
		{"If-Match with another tag", []string{`If-Match: "other"`}, "412"},
	} {
		var args []string
		for _, f := range c.fields {
			args = append(args, "--header", f)
		}
		got := n.get("/page.html", args...)
		if got.status == http.StatusPreconditionFailed {
			got.header, got.body = nil, nil // what it says besides is its own affair
		}
		expect(t, c.name, got, c.want)
		if got.status == http.StatusNotModified && (got.header.Get("ETag") != etag || got.header.Get("Cache-Control") == "") {
			t.Errorf("%s: 304 without what a stored copy is updated with: %v", c.name, got.header)
		}
	}
	if asked := n.asked(); asked != 1 {
		t.Errorf("the origin was asked %d times", asked)
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/page.html", "content")
	n := startNode(t, settings{origin: origin.url()})
	for _, want := range []string{"200 MISS", "200 HIT"} {
		head := n.get("/page.html", "--head")
		head.body = nil // curl writes the head there
		expect(t, "HEAD", head, want)
		if got := head.header.Get("Content-Length"); got != "7" {
			t.Errorf("HEAD: Content-Length is %q", got)
		}
	}
	expect(t, "GET after HEAD", n.get("/page.html"), "200 HIT content")
}

func TestNotFoundIsRemembered(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	n := startNode(t, settings{origin: origin.url(), service: "cache: {negative_ttl: {404: 1m}}\n"})
	first := n.get("/late.html")
	if first.status != http.StatusNotFound || first.header.Get("X-Cache") != "MISS" {
		t.Fatalf("got %v", first)
	}
	origin.write("/late.html", "here now")
	if again := n.get("/late.html"); again.status != http.StatusNotFound || again.header.Get("X-Cache") != "HIT" {
		t.Fatalf("got %v, want the 404 from the cache", again)
	}
	n.get("/late.html", "--request", "PURGE")
	expect(t, "after a purge", n.get("/late.html"), "200 MISS here now")
}

func TestBigFileIsTheSameOverEveryProtocol(t *testing.T) {
	t.Parallel()
	content := make([]byte, 20<<20)
	random := rand.NewChaCha8([32]byte{1})
	io.ReadFull(random, content)
	origin := startNginx(t)
	origin.write("/big.bin", string(content))
	n := startNode(t, settings{origin: origin.url(), top: "storage: {memory: 128MiB}"})

	stored := map[string]string{} // by scheme, which tells resources apart
	for _, via := range transports {
		got, want := n.over(via, "/big.bin"), cmp.Or(stored[via.scheme], "MISS")
		stored[via.scheme] = "HIT"
		if got.status != http.StatusOK || got.header.Get("X-Cache") != want {
			t.Errorf("%s: status %d, %s, want %s", via.name, got.status, got.header.Get("X-Cache"), want)
		}
		if got.proto != via.proto {
			t.Errorf("%s: curl spoke HTTP/%s", via.name, got.proto)
		}
		if sha256.Sum256(got.body) != sha256.Sum256(content) {
			t.Errorf("%s: %d bytes that differ from the %d of the origin", via.name, len(got.body), len(content))
		}
	}
}

func TestBodyIsStreamed(t *testing.T) {
	t.Parallel()
	seen := make(chan struct{})
	proceed := sync.OnceFunc(func() { close(seen) })
	defer proceed()
	origin := startRaw(t, map[string]script{"/slow": func(x *exchange) bool {
		x.say("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 10\r\n\r\nfirst")
		<-seen
		x.say("after")
		return true
	}})
	n := startNode(t, settings{origin: origin.url()})
	response := n.open("/slow")
	part := make([]byte, 5)
	if _, err := io.ReadFull(response.Body, part); err != nil || string(part) != "first" {
		t.Fatalf("before the origin is done: %q, %v", part, err)
	}
	proceed()
	rest, err := io.ReadAll(response.Body)
	if err != nil || string(rest) != "after" {
		t.Fatalf("then: %q, %v", rest, err)
	}
	eventually(t, "what was streamed is stored", func() bool { return n.get("/slow").String() == "200 HIT firstafter" })
}
