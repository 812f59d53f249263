package varnish

import (
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

const page = "https://www.example.com/page"

// TestClients sends what public clients put on the wire.
func TestClients(t *testing.T) {
	for _, tc := range []struct {
		name  string
		raw   string
		body  string
		count string // Purged
		url   string // of an object, with its surrogate keys, that must be in state
		tags  []string
		want  purge.State
		live  string // an object without keys that must stay; "": /other
	}{
		{
			name: "FOSHttpCache purges a URL",
			raw: `PURGE /page?b=2&a=1 HTTP/1.1
Host: www.example.com
Connection: Close

`,
			body: "Purged 3 objects, expired 0 objects", count: "3", url: page + "?a=1&b=2", want: purge.Withdrawn,
		}, {
			name: "FOSHttpCache bans tags",
			raw: `BAN / HTTP/1.1
Host: www.example.com
X-Host: .*
X-Url: .*
X-Content-Type: .*
X-Cache-Tags: (^|,)(post\-1|post\-2)(,|$)
Connection: Close

`,
			body: "Purged 2 names, expired 0 names", url: page, tags: []string{"post-2"}, want: purge.Withdrawn,
		}, {
			name: "FOSHttpCache 1 bans tags",
			raw: `BAN / HTTP/1.1
Host: www.example.com
X-Cache-Tags: (a|b)(,.+)?$

`,
			body: "Purged 2 names, expired 0 names", url: page, tags: []string{"a"}, want: purge.Withdrawn,
		}, {
			name: "FOSHttpCache bans below a path on some hosts",
			raw: `BAN / HTTP/1.1
Host: www.example.com
X-Host: ^(www\.example\.com)$
X-Url: ^/blog/.*
X-Content-Type: .*

`,
			body: "Purged 1 names, expired 0 names", url: "https://www.example.com/blog/a?x=1", want: purge.Withdrawn,
		}, {
			name: "FOSHttpCache bans everything",
			raw: `BAN / HTTP/1.1
Host: www.example.com
X-Host: .*
X-Url: .*
X-Content-Type: .*

`,
			body: "Purged 1 names, expired 0 names", url: page, want: purge.Withdrawn, live: "none",
		}, {
			name: "FOSHttpCache purges keys",
			raw: `PURGEKEYS / HTTP/1.1
Host: www.example.com
xkey-purge: one two
Connection: Close

`,
			body: "Purged 2 names, expired 0 names", url: page, tags: []string{"two"}, want: purge.Withdrawn,
		}, {
			name: "FOSHttpCache purges keys softly",
			raw: `PURGEKEYS / HTTP/1.1
Host: www.example.com
xkey-softpurge: one two
Connection: Close

`,
			body: "Purged 0 names, expired 2 names", url: page, tags: []string{"one"}, want: purge.Softened,
		}, {
			name: "Symfony purges tags",
			raw: `PURGETAGS / HTTP/1.1
Host: www.example.com
X-Cache-Tags: product 1,product 2

`,
			body: "Purged 2 names, expired 0 names", url: page, tags: []string{"product 2"}, want: purge.Withdrawn,
		}, {
			name: "Symfony clears the cache",
			raw: `PURGE / HTTP/1.1
Host: www.example.com
Clear-Cache: true

`,
			body: "Purged 1 names, expired 0 names", url: page, want: purge.Withdrawn, live: "none",
		}, {
			name: "API Platform purges by xkey",
			raw: `PURGE / HTTP/1.1
Host: www.example.com
xkey: /books/1 /books

`,
			body: "Purged 2 names, expired 0 names", url: page, tags: []string{"/books"}, want: purge.Withdrawn,
		}, {
			name: "API Platform purges surrogate keys, separated by commas",
			raw: `PURGE / HTTP/1.1
Host: www.example.com
Surrogate-Key: /books/1, /books

`,
			body: "Purged 2 names, expired 0 names", url: page, tags: []string{"/books/1"}, want: purge.Withdrawn,
		}, {
			name: "API Platform bans by an expression",
			raw: `BAN / HTTP/1.1
Host: www.example.com
ApiPlatform-Ban-Regex: (/books/1|/books)($|\,)

`,
			body: "Purged 2 names, expired 0 names", url: page, tags: []string{"/books/1"}, want: purge.Withdrawn,
		}, {
			name: "Magento purges tags, at the node's own address",
			raw: `PURGE / HTTP/1.1
X-Magento-Tags-Pattern: ((^|,)cat_p_1(,|$))|((^|,)cat_p_12(,|$))|((^|,)cat_c(,|$))
Host: www.example.com
Connection: close

`,
			body: "Purged 3 names, expired 0 names", url: page, tags: []string{"cat_p_12"}, want: purge.Withdrawn,
		}, {
			name: "Magento purges everything",
			raw: `PURGE / HTTP/1.1
X-Magento-Tags-Pattern: .*
Host: www.example.com

`,
			body: "Purged 1 names, expired 0 names", url: page, want: purge.Withdrawn, live: "none",
		}, {
			name: "WordPress clears a site",
			raw: `PURGE /.* HTTP/1.1
Host: www.example.com
X-Purge-Method: regex

`,
			body: "Purged 1 names, expired 0 names", url: page, want: purge.Withdrawn, live: "none",
		}, {
			name: "WordPress clears below a path",
			raw: `PURGE /blog/.* HTTP/1.1
Host: www.example.com
X-Purge-Method: regex

`,
			body: "Purged 1 names, expired 0 names", url: "https://www.example.com/blog/2024/", want: purge.Withdrawn,
		}, {
			name: "WordPress clears below a path, said by the query",
			raw: `PURGE /blog/?vhp-regex HTTP/1.1
Host: www.example.com

`,
			body: "Purged 1 names, expired 0 names", url: "https://www.example.com/blog/2024/", want: purge.Withdrawn,
		}, {
			name: "WordPress purges a page",
			raw: `PURGE /page HTTP/1.1
Host: www.example.com
X-Purge-Method: default

`,
			body: "Purged 3 objects, expired 0 objects", count: "3", url: page, want: purge.Withdrawn,
		}, {
			name: "a script bans a URL",
			raw: `BAN /page HTTP/1.1
Host: www.example.com

`,
			body: "Purged 3 objects, expired 0 objects", count: "3", url: page, want: purge.Withdrawn,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			node := dialecttest.New(t)
			got := dialecttest.Send(t, New(node.Door(), control.DataListener), tc.raw)
			if got.Status != 200 || got.Body != tc.body+"\n" {
				t.Fatalf("answered %d %q; want 200 %q", got.Status, got.Body, tc.body)
			}
			if count := got.Header.Get("Purged"); count != tc.count {
				t.Errorf("Purged is %q, want %q", count, tc.count)
			}
			if got.Header.Get("Rescind-Purge") == "" {
				t.Error("the purge's id is missing")
			}
			if state := node.State(t, "shop", tc.url, tc.tags...); state != tc.want {
				t.Errorf("the object is %v, want %v", state, tc.want)
			}
			if state := node.State(t, "shop", "https://www.example.com/other", "other"); tc.live == "" && state != purge.Live {
				t.Errorf("an object that was not named is %v", state)
			}
			if state := node.State(t, "blog", "https://blog.example/page", tc.tags...); state != purge.Live {
				t.Errorf("an object of another service is %v", state)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	const ban = "BAN / HTTP/1.1\nHost: www.example.com\nX-Cache-Tags: (a)(,|$)\n%s\n"
	for _, tc := range []struct {
		name, raw string
		from      control.Credentials
		status    int
	}{
		{"a stranger", strings.Replace(ban, "%s", "", 1), dialecttest.Stranger, 405},
		{"a stranger with a wrong token", strings.Replace(ban, "%s", "Authorization: Bearer wrong-secret\n", 1), dialecttest.Stranger, 405},
		{"a stranger with a token", strings.Replace(ban, "%s", "Authorization: Bearer editor-secret\n", 1), dialecttest.Stranger, 200},
		{"a token without the scope", strings.Replace(ban, "%s", "Authorization: Bearer watcher-secret\n", 1), dialecttest.Stranger, 403},
		{"loopback that speaks for somebody", strings.Replace(ban, "%s", "", 1), control.Credentials{Addr: dialecttest.Loopback.Addr, Forwarded: true}, 405},
		{"a service that wants a token", strings.Replace(strings.Replace(ban, "%s", "", 1), "www.example.com", "locked.example", 1), dialecttest.Loopback, 405},
		{"no keys", "PURGEKEYS / HTTP/1.1\nHost: www.example.com\n\n", dialecttest.Loopback, 400},
		{"no tags", "PURGETAGS / HTTP/1.1\nHost: www.example.com\nX-Cache-Tags: ,\n\n", dialecttest.Loopback, 400},
		{"a method of nobody's", "PURGEALL / HTTP/1.1\nHost: www.example.com\n\n", dialecttest.Loopback, 400},
		{"a host of nobody's, and several services", strings.Replace(strings.Replace(ban, "%s", "", 1), "www.example.com", "127.0.0.1", 1), dialecttest.Loopback, 400},
		{"a host of nobody's, and a token for one service", strings.Replace(strings.Replace(ban, "%s", "Authorization: Bearer editor-secret\n", 1), "www.example.com", "127.0.0.1", 1), dialecttest.Loopback, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			node := dialecttest.New(t)
			node.From = tc.from
			got := dialecttest.Send(t, New(node.Door(), control.DataListener), tc.raw)
			if got.Status != tc.status {
				t.Fatalf("%d %s, want %d", got.Status, got.Body, tc.status)
			}
			if (got.Header.Get("Allow") != "") != (tc.status == 405) {
				t.Errorf("Allow is %q", got.Header.Get("Allow"))
			}
			if state := node.State(t, "shop", page, "a"); (state == purge.Live) == (tc.status == 200) {
				t.Errorf("the object is %v", state)
			}
		})
	}
}
