//go:build e2e

package test

import "testing"

const soft = "Fastly-Soft-Purge: 1"

func TestSoftPurgeAnswersStaleAndRefreshes(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/products/1.html", "old")
	n := startNode(t, settings{origin: origin.url()})
	n.get("/products/1.html")
	origin.write("/products/1.html", "new")
	checkPurged(t, n.post("/service/shop/purge/product-1", "--header", soft))
	expect(t, "at once", n.get("/products/1.html"), "200 HIT old")
	eventually(t, "the new page", func() bool { return n.get("/products/1.html").String() == "200 HIT new" })
}

func TestSoftPurgeOfWhatDidNotChange(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/products/1.html", "same")
	n := startNode(t, settings{origin: origin.url()})
	first := n.get("/products/1.html").header.Get("X-Origin-Request")
	checkPurged(t, n.get("/products/1.html", "--request", "PURGE", "--header", soft))
	expect(t, "at once", n.get("/products/1.html"), "200 HIT same")
	eventually(t, "the origin confirms it", func() bool {
		got := n.get("/products/1.html")
		expect(t, "meanwhile", got, "200 HIT same")
		return got.header.Get("X-Origin-Status") == "304" && got.header.Get("X-Origin-Request") != first
	})
	if asked := n.asked(); asked != 2 {
		t.Errorf("the origin was asked %d times", asked)
	}
}

// What may not be served stale is revalidated before it is served.
func TestSoftPurgeWithoutStaleWindow(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/plain/a.html", "old")
	origin.write("/plain/b.html", "same")
	n := startNode(t, settings{origin: origin.url()})
	n.get("/plain/a.html")
	n.get("/plain/b.html")
	origin.write("/plain/a.html", "new")
	n.cli("purge", "--service", "shop", "--key", "pages", "--soft").done(t)

	expect(t, "the changed page", n.get("/plain/a.html"), "200 MISS new")
	same := n.get("/plain/b.html")
	expect(t, "the page that is the same", same, "200 MISS same")
	if got := same.header.Get("X-Origin-Status"); got != "304" {
		t.Errorf("the origin answered %s to the revalidation", got)
	}
	expect(t, "the changed page again", n.get("/plain/a.html"), "200 HIT new")
	expect(t, "the same page again", n.get("/plain/b.html"), "200 HIT same")
}

func TestSoftPurgeWithGrace(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/page.html", "old")
	n := startNode(t, settings{origin: origin.url()})
	n.get("/page.html")
	origin.write("/page.html", "new")
	n.cli("purge", "--service", "shop", "--all", "--soft", "--grace", "0s").done(t)
	expect(t, "with no grace given", n.get("/page.html"), "200 MISS new")
}
