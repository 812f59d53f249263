package app

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// ask sends a request with header lines to a site's own listener, or to the
// admin listener where the host is empty.
func (n *node) ask(method, host, path, header, body string) (*http.Response, string) {
	n.t.Helper()
	base := "http://" + n.app.Addrs()[0].String()
	if host == "" {
		base = "http://" + n.app.AdminAddr().String()
	}
	r, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.Header.Set(name, value)
	}
	resp, err := n.client.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return resp, string(text)
}

// TestVarnishMethods purges through a site's own listener.
func TestVarnishMethods(t *testing.T) {
	for _, tc := range []struct{ method, host, header string }{
		{"BAN", "shop.example", "X-Cache-Tags: (^|,)(k|l)(,|$)"},
		{"PURGEKEYS", "shop.example", "xkey-purge: k"},
		{"PURGETAGS", "shop.example", "X-Cache-Tags: k,l"},
		{"PURGE", "shop.example", "X-Magento-Tags-Pattern: ((^|,)k(,|$))"},
		{"PURGE", "127.0.0.1", "X-Magento-Tags-Pattern: ((^|,)k(,|$))"}, // the node's own address, and one service
		{"PURGE", "", "X-Magento-Tags-Pattern: ((^|,)k(,|$))"},
		{"BAN", "", "X-Cache-Tags: (k)(,|$)"},
	} {
		n := startNode(t, "")
		n.want("/a", "en", "MISS", "en 1")
		if resp, body := n.ask(tc.method, tc.host, "/", tc.header, ""); resp.StatusCode != 200 || !strings.HasPrefix(body, "Purged ") {
			t.Errorf("%s %s: %d %s", tc.method, tc.header, resp.StatusCode, body)
		}
		n.want("/a", "en", "MISS", "en 2")
		if resp, body := n.ask(tc.method, tc.host, "/", tc.header+"\nX-Forwarded-For: 127.0.0.1", ""); resp.StatusCode != 405 {
			t.Errorf("%s %s for somebody else: %d %s", tc.method, tc.header, resp.StatusCode, body)
		}
		n.want("/a", "en", "HIT", "en 2")
	}
}

// TestPagesOfOtherHostsPurgeNothing has a page whose host was made to lead here,
// in the browser of somebody who may purge.
func TestPagesOfOtherHostsPurgeNothing(t *testing.T) {
	n := startNode(t, "")
	n.want("/a", "en", "MISS", "en 1")
	for _, header := range []string{"Clear-Cache: true", "X-Magento-Tags-Pattern: .*", "Xkey: k"} {
		for _, mark := range []string{"Origin: http://evil.example", "Sec-Fetch-Site: same-origin"} {
			if resp, body := n.ask("PURGE", "evil.example", "/", header+"\n"+mark, ""); resp.StatusCode != 405 {
				t.Errorf("%s, %s: %d %s", header, mark, resp.StatusCode, body)
			}
		}
	}
	n.want("/a", "en", "HIT", "en 1")
}

// TestDialectOfAPlainPurge has a PURGE that could be anybody's.
func TestDialectOfAPlainPurge(t *testing.T) {
	for setting, want := range map[string]struct {
		refused  int
		accepted string
	}{"fastly": {401, `{"status":"ok"`}, "varnish": {405, "Purged 0 objects"}} {
		n := startNode(t, "    purge: {dialect: "+setting+"}")
		if resp, body := n.ask("PURGE", "shop.example", "/a", "", ""); resp.StatusCode != 200 || !strings.HasPrefix(body, want.accepted) {
			t.Errorf("%s: %d %s", setting, resp.StatusCode, body)
		}
		if resp, _ := n.ask("PURGE", "shop.example", "/a", "X-Forwarded-For: 127.0.0.1", ""); resp.StatusCode != want.refused {
			t.Errorf("%s: refused with %d", setting, resp.StatusCode)
		}
		if _, body := n.ask("PURGE", "shop.example", "/a", "Fastly-Soft-Purge: 1", ""); !strings.HasPrefix(body, "{") {
			t.Errorf("%s: %s to a client of Fastly", setting, body)
		}
	}
}

// TestRefresh is a GET with no-cache, once from an address that may purge.
func TestRefresh(t *testing.T) {
	n := startNode(t, "    purge: {refresh: true}")
	const noCache = "Cache-Control: no-cache"
	get := func(header string) string {
		resp, body := n.ask("GET", "shop.example", "/a", header, "")
		return resp.Header.Get("X-Cache") + body
	}
	if got := get(""); got != "MISS 1" {
		t.Errorf("at first: %s", got)
	}
	if got := get(noCache + "\nX-Forwarded-For: 127.0.0.1"); got != "HIT 1" {
		t.Errorf("for somebody else: %s", got)
	}
	if got := get(noCache); got != "MISS 2" {
		t.Errorf("refreshed: %s", got)
	}
	if got := get(""); got != "HIT 2" {
		t.Errorf("afterwards: %s", got)
	}
	off := startNode(t, "")
	off.ask("GET", "shop.example", "/a", "", "")
	if resp, body := off.ask("GET", "shop.example", "/a", noCache, ""); resp.Header.Get("X-Cache") != "HIT" {
		t.Errorf("where it is not set: %s", body)
	}
}

// TestAdminDoors purges a page through each API of the admin listener.
func TestAdminDoors(t *testing.T) {
	n := startNode(t, "stackpath: {per_minute: 2}")
	for i, tc := range []struct {
		method, path, body, answer string
	}{
		{"POST", "/client/v4/zones/shop/purge_cache", `{"tags":["k"]}`, `{"result":{"id":"shop"},"success":true,"errors":[],"messages":[]}`},
		{"POST", "/cdn/v1/stacks/shop/purge", `{"items":[{"url":"//shop.example/a"}]}`, `{"id":"`},
		{"POST", "/invalidation", `{"type":"uri","selectors":["http://shop.example/a"],"purge":true}`, `{"ids":["`},
		{"POST", "/api/accounts/shop/purge", `{"list":[{"url":"//shop.example/a"}]}`, `{"id":"`},
	} {
		n.want("/a", "en", "MISS", "en "+string(rune('1'+i)))
		if resp, body := n.ask(tc.method, "", tc.path, "", tc.body); resp.StatusCode != 200 || !strings.HasPrefix(body, tc.answer) {
			t.Errorf("%s: %d %s", tc.path, resp.StatusCode, body)
		}
	}
	if resp, body := n.ask("POST", "", "/cdn/v1/stacks/shop/purge", "", `{"items":[{"url":"//shop.example/a"}]}`); resp.StatusCode != 429 {
		t.Errorf("the third within a minute: %d %s", resp.StatusCode, body)
	}
	if resp, body := n.ask("GET", "", "/stack/v1/stacks/shop", "", ""); resp.StatusCode != 200 || !strings.Contains(body, `"ACTIVE"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
