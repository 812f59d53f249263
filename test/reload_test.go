//go:build e2e

package test

import (
	"fmt"
	"regexp"
	"strconv"
	"syscall"
	"testing"
)

var ttlParameter = regexp.MustCompile(`; ttl=(-?\d+)`)

// ttl returns what Cache-Status says is left of a stored response's freshness.
func (a answer) ttl(t *testing.T) int {
	t.Helper()
	found := ttlParameter.FindStringSubmatch(a.header.Get("Cache-Status"))
	if found == nil {
		t.Fatalf("no ttl in Cache-Status %q", a.header.Get("Cache-Status"))
	}
	seconds, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return seconds
}

func TestReload(t *testing.T) {
	t.Parallel()
	first, second := startNginx(t), startNginx(t)
	for _, page := range []string{"a", "b"} {
		first.write("/silent/"+page+".html", "first "+page)
		second.write("/silent/"+page+".html", "second "+page)
	}
	before := settings{origin: first.url(), service: "cache: {default_ttl: 1h}\n"}
	after := settings{origin: second.url(), service: "cache: {default_ttl: 2m}\n"}
	n := startNode(t, before)
	n.get("/silent/a.html")
	c := n.dial()
	ask := func(page string) answer {
		c.write(fmt.Sprintf("GET /silent/%s.html HTTP/1.1\r\nHost: %s\r\n\r\n", page, host))
		return c.answer()
	}
	old := ask("a")
	expect(t, "before", old, "200 HIT first a")
	if ttl := old.ttl(t); ttl < 3500 || ttl > 3600 {
		t.Errorf("stored for %d s, want an hour", ttl)
	}

	n.reload(after, `"msg":"reloaded"`)

	kept := ask("a")
	expect(t, "on the same connection, what is stored", kept, "200 HIT first a")
	if ttl := kept.ttl(t); ttl < 3400 {
		t.Errorf("it is stored for %d s, want what is left of an hour", ttl)
	}
	expect(t, "what is not, from the new origin", ask("b"), "200 MISS second b")
	if ttl := ask("b").ttl(t); ttl < 60 || ttl > 120 {
		t.Errorf("stored for %d s, want two minutes", ttl)
	}
}

func TestReloadOfABadFile(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/page.html", "content")
	good := settings{origin: origin.url()}
	n := startNode(t, good)
	n.get("/page.html")

	bad := good
	bad.service = "cache: {default_ttl: soon}\n"
	n.reload(bad, "the old one stays in force")
	n.awaitOutput("rescind.yaml:12:", 0)
	expect(t, "what is stored", n.get("/page.html"), "200 HIT content")
	expect(t, "what is not", n.get("/page.html?other"), "200 MISS content")

	n.reload(good, `"msg":"reloaded"`)
	expect(t, "after a good file", n.get("/page.html"), "200 HIT content")
	n.signal(syscall.SIGTERM)
	if code := n.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestReloadOfDomains(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/page.html", "content")
	n := startNode(t, settings{origin: origin.url()})
	more := func() answer { return n.url(transports[0], "http://new.example.test/page.html") }
	if got := more(); got.status != 421 {
		t.Errorf("before: %v", got)
	}
	n.get("/page.html")
	n.reload(settings{origin: origin.url(), top: fmt.Sprintf(`
  - {id: more, domains: [new.example.test], origins: [{url: "%s"}]}`, origin.url())}, `"msg":"reloaded"`)
	expect(t, "after", more(), "200 MISS content")
	expect(t, "the service that was there", n.get("/page.html"), "200 HIT content")
}
