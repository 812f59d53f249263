//go:build e2e

package test

import (
	"encoding/json"
	"testing"

	"github.com/rescind-edge/rescind/api"
)

// A way to purge /products/1.html, and no other page unless it takes all.
type purgeWay struct {
	name     string
	purge    func(t *testing.T, n *node)
	takesAll bool
}

var purgeWays = []purgeWay{
	{name: "PURGE of the URL", purge: func(t *testing.T, n *node) {
		got := n.get("/products/1.html", "--request", "PURGE")
		if got.status != 200 || got.header.Get("Rescind-Purged") != "1" {
			t.Fatalf("got %v, %q objects", got, got.header.Get("Rescind-Purged"))
		}
		checkPurged(t, got)
	}},
	{name: "PURGE of the URL over HTTP/2", purge: func(t *testing.T, n *node) {
		checkPurged(t, n.over(transports[3], "/products/1.html", "--request", "PURGE"))
	}},
	{name: "POST of the URL", purge: func(t *testing.T, n *node) {
		checkPurged(t, n.post("/purge/"+host+"/products/1.html"))
	}},
	{name: "POST of a surrogate key", purge: func(t *testing.T, n *node) {
		checkPurged(t, n.post("/service/shop/purge/product-1"))
	}},
	{name: "POST of several keys in a field", purge: func(t *testing.T, n *node) {
		checkPurgedKeys(t, n.post("/service/shop/purge", "--header", "Surrogate-Key: product-1 product-7"))
	}},
	{name: "POST of several keys in JSON", purge: func(t *testing.T, n *node) {
		checkPurgedKeys(t, n.post("/service/shop/purge", "--json", `{"surrogate_keys":["product-1","product-7"]}`))
	}},
	{name: "path by the API", purge: func(t *testing.T, n *node) {
		n.purge(api.Purge{Service: "shop", Paths: []string{host + "/products/1.html"}})
	}},
	{name: "URL by the API", purge: func(t *testing.T, n *node) {
		if r := n.purge(api.Purge{URLs: []string{"http://" + host + "/products/1.html"}}); r.Count == nil || *r.Count != 1 {
			t.Fatalf("the receipt counts %v objects", r.Count)
		}
	}},
	{name: "path by the command", purge: func(t *testing.T, n *node) {
		n.cli("purge", "--path", host+"/products").done(t)
	}},
	{name: "host by the command", purge: func(t *testing.T, n *node) {
		n.cli("purge", "--host", host).done(t)
	}, takesAll: true},
	{name: "all by the command", purge: func(t *testing.T, n *node) {
		n.cli("purge", "--service", "shop", "--all").done(t)
	}, takesAll: true},
	{name: "POST of all", purge: func(t *testing.T, n *node) {
		expect(t, "purge_all", n.post("/service/shop/purge_all"), `200  {"status":"ok"}`)
	}, takesAll: true},
}

// post sends a POST to the admin listener.
func (n *node) post(path string, args ...string) answer {
	n.t.Helper()
	a, code, complaint := curl(n.t, append([]string{"http://" + n.admin + path, "--request", "POST"}, args...)...)
	if code != 0 {
		n.t.Fatalf("curl: exit code %d: %s", code, complaint)
	}
	return a
}

// checkPurged looks for what a client of Fastly's API reads.
func checkPurged(t *testing.T, got answer) {
	t.Helper()
	var said struct{ Status, ID string }
	if err := json.Unmarshal(got.body, &said); err != nil || got.status != 200 || said.Status != "ok" || said.ID == "" {
		t.Fatalf("got %v, %v", got, err)
	}
}

func checkPurgedKeys(t *testing.T, got answer) {
	t.Helper()
	var said map[string]string
	if err := json.Unmarshal(got.body, &said); err != nil || got.status != 200 || len(said) != 2 || said["product-1"] == "" || said["product-7"] == "" {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestPurgeShowsWhatChanged(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	n := startNode(t, settings{origin: origin.url()})
	for _, way := range purgeWays {
		t.Run(way.name, func(t *testing.T) {
			n.purge(api.Purge{Service: "shop", All: true}) // what the way before left
			origin.write("/products/1.html", "old")
			origin.write("/about.html", "about")
			for _, cache := range []string{"MISS", "HIT"} {
				expect(t, "the page", n.get("/products/1.html"), "200 "+cache+" old")
				expect(t, "another page", n.get("/about.html"), "200 "+cache+" about")
			}
			origin.write("/products/1.html", "new")
			expect(t, "the cache cannot know", n.get("/products/1.html"), "200 HIT old")

			way.purge(t, n)

			purged := n.get("/products/1.html")
			expect(t, "after the purge", purged, "200 MISS new")
			if way.takesAll {
				expect(t, "another page", n.get("/about.html"), "200 MISS about")
			} else {
				expect(t, "another page", n.get("/about.html"), "200 HIT about")
			}
			expect(t, "and then", n.get("/products/1.html"), "200 HIT new")
		})
	}
}

func TestPurgeOfHostSparesOtherHosts(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/logo.html", "logo")
	n := startNode(t, settings{origin: origin.url()})
	get := func(h string) answer { return n.url(transports[0], "http://"+h+"/logo.html") }
	for _, h := range []string{host, otherHost} {
		expect(t, h, get(h), "200 MISS logo")
		expect(t, h, get(h), "200 HIT logo")
	}
	n.cli("purge", "--host", otherHost).done(t)
	expect(t, otherHost, get(otherHost), "200 MISS logo")
	expect(t, host, get(host), "200 HIT logo")
}

func TestPathPurgeIsBySegment(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/images/a/1.html", "inside")
	origin.write("/images-old/1.html", "beside")
	n := startNode(t, settings{origin: origin.url()})
	n.get("/images/a/1.html")
	n.get("/images-old/1.html")
	n.cli("purge", "--service", "shop", "--path", "/images").done(t)
	expect(t, "below the path", n.get("/images/a/1.html"), "200 MISS inside")
	expect(t, "a name that begins alike", n.get("/images-old/1.html"), "200 HIT beside")
}

// A service that others may not purge without a token says so to them, and
// nothing is gone.
func TestPurgeNeedsPermission(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/page.html", "content")
	n := startNode(t, settings{
		origin: origin.url(), service: "purge: {require_token: true}\n",
		top: `tokens: [{name: deploy, value: "s3cret-token", scopes: [purge_select], services: [shop]}]`,
	})
	n.get("/page.html")
	refused := n.get("/page.html", "--request", "PURGE")
	if refused.status != 401 {
		t.Errorf("without a token: %v", refused)
	}
	if all := n.post("/service/shop/purge_all", "--header", "Fastly-Key: s3cret-token"); all.status != 403 {
		t.Errorf("with a token that may not: %v", all)
	}
	expect(t, "after two purges that were refused", n.get("/page.html"), "200 HIT content")
	checkPurged(t, n.get("/page.html", "--request", "PURGE", "--header", "Fastly-Key: s3cret-token"))
	expect(t, "with a token that may", n.get("/page.html"), "200 MISS content")
}

// An unsafe method that succeeds withdraws what it changed (RFC 9111 section 4.4).
func TestPostInvalidates(t *testing.T) {
	t.Parallel()
	origin := startRaw(t, map[string]script{"/basket": func(x *exchange) bool {
		x.say(whole(x.Method))
		return true
	}})
	n := startNode(t, settings{origin: origin.url()})
	n.get("/basket")
	expect(t, "before", n.get("/basket"), "200 HIT GET")
	expect(t, "POST", n.get("/basket", "--request", "POST"), "200 MISS POST")
	expect(t, "after", n.get("/basket"), "200 MISS GET")
}
