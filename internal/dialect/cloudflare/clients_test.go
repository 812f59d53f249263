package cloudflare

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

const (
	page = "https://www.example.com/page"
	ok   = `{"result":{"id":"shop"},"success":true,"errors":[],"messages":[]}`
)

// send sends a request to the API with a body.
func send(t *testing.T, n *dialecttest.Node, head, body string) dialecttest.Answer {
	t.Helper()
	return dialecttest.Send(t, New(n.Door()), fmt.Sprintf("%s\nContent-Length: %d\n\n%s", head, len(body), body))
}

// TestClients sends what public clients put on the wire.
func TestClients(t *testing.T) {
	const bearer = "\nHost: api.cloudflare.com\nAuthorization: Bearer deploy-secret\nContent-Type: application/json"
	for _, tc := range []struct {
		name, head, body string
		url              string // of an object, with its surrogate keys, that must be withdrawn
		tags             []string
		all              bool // everything is
	}{
		{
			name: "curl purges everything", head: "POST /client/v4/zones/shop/purge_cache HTTP/1.1\nUser-Agent: curl/8.5.0" + bearer,
			body: `{"purge_everything":true}`, url: page, all: true,
		}, {
			name: "the WordPress plugin purges files by DELETE, by key and address",
			head: "DELETE /client/v4/zones/shop/purge_cache HTTP/1.1\nHost: api.cloudflare.com\nX-Auth-Email: editor@example.com\nX-Auth-Key: deploy-secret\nContent-Type: application/json",
			body: `{"files":["https://www.example.com/page","https://www.example.com/feed/"]}`, url: "http://www.example.com/page",
		}, {
			name: "a file with the fields that pick a variant", head: "POST /client/v4/zones/shop/purge_cache HTTP/1.1" + bearer,
			body: `{"files":["http://www.example.com/css/styles.css",{"url":"http://www.example.com/page","headers":{"Origin":"https://www.cloudflare.com","CF-IPCountry":"US","CF-Device-Type":"desktop"}}]}`,
			url:  page,
		}, {
			name: "FOSHttpCache purges tags, with its own host", head: "POST /client/v4/zones/shop/purge_cache HTTP/1.1" + bearer,
			body: `{"tags":["Post-1","b"]}`, url: page, tags: []string{"post-1"},
		}, {
			name: "tags that a header keeps in their own case", head: "POST /client/v4/zones/shop/purge_cache HTTP/1.1" + bearer,
			body: `{"tags":["Post-1"]}`, url: page, tags: []string{"Post-1"},
		}, {
			name: "the Python client purges hosts", head: "DELETE /client/v4/zones/shop/purge_cache HTTP/1.1" + bearer,
			body: `{"hosts":["www.example.com"]}`, url: page, all: true,
		}, {
			name: "prefixes", head: "POST /client/v4/zones/shop/purge_cache HTTP/1.1" + bearer,
			body: `{"prefixes":["www.example.com/page"]}`, url: page + "/below?x=1",
		}, {
			name: "the PHP client, with the members that it leaves empty", head: "POST /client/v4/zones/shop/purge_cache HTTP/1.1" + bearer,
			body: `{"files":["https://www.example.com/page"],"tags":null}`, url: page,
		}, {
			name: "npm's cloudflare", head: "POST /client/v4/zones/shop/purge_cache HTTP/1.1\nUser-Agent: Cloudflare/JS 4.0.0\nX-Stainless-Lang: js" + bearer,
			body: `{"tags":["a"]}`, url: page, tags: []string{"a"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			node := dialecttest.New(t)
			got := send(t, node, tc.head, tc.body)
			if got.Status != 200 || got.Body != ok || got.Header.Get("Content-Type") != "application/json" {
				t.Fatalf("answered %d %s", got.Status, got.Body)
			}
			if got.Header.Get("Rescind-Purge") == "" {
				t.Error("the purge's id is missing")
			}
			if state := node.State(t, "shop", tc.url, tc.tags...); state != purge.Withdrawn {
				t.Errorf("the object is %v", state)
			}
			if state := node.State(t, "shop", "https://www.example.com/other", "other"); (state == purge.Live) == tc.all {
				t.Errorf("an object that was not named is %v", state)
			}
		})
	}
}

func TestManyTags(t *testing.T) {
	node := dialecttest.New(t)
	var tags []string
	for i := range 1000 {
		tags = append(tags, fmt.Sprintf(`"t%d"`, i))
	}
	got := send(t, node, "POST /client/v4/zones/shop/purge_cache HTTP/1.1\nHost: a", `{"tags":[`+strings.Join(tags, ",")+`]}`)
	if got.Status != 200 || strings.Count(got.Header.Get("Rescind-Purge"), ",") != 3 {
		t.Fatalf("%d %s %v", got.Status, got.Body, got.Header)
	}
	for _, tag := range []string{"t0", "t999"} {
		if state := node.State(t, "shop", page, tag); state != purge.Withdrawn {
			t.Errorf("%s is %v", tag, state)
		}
	}
}

func TestRefused(t *testing.T) {
	const purgeLine = "POST /client/v4/zones/shop/purge_cache HTTP/1.1\nHost: a\n"
	for _, tc := range []struct {
		name, head, body string
		from             control.Credentials
		status, code     int
	}{
		{"no credentials", purgeLine + "X: y", `{"tags":["a"]}`, dialecttest.Stranger, 401, 9106},
		{"a wrong token", purgeLine + "Authorization: Bearer wrong-secret", `{"tags":["a"]}`, dialecttest.Stranger, 401, 10000},
		{"a wrong key", purgeLine + "X-Auth-Email: a@b\nX-Auth-Key: wrong-secret", `{"tags":["a"]}`, dialecttest.Stranger, 401, 10000},
		{"a scope that is missing", purgeLine + "Authorization: Bearer editor-secret", `{"purge_everything":true}`, dialecttest.Stranger, 403, 9109},
		{"loopback for somebody else", purgeLine + "X: y", `{"tags":["a"]}`, control.Credentials{Addr: dialecttest.Loopback.Addr, Forwarded: true}, 401, 9106},
		{"a zone of nobody's", strings.Replace(purgeLine, "shop", "x", 1) + "X: y", `{"tags":["a"]}`, dialecttest.Loopback, 404, 7003},
		{"nothing", purgeLine + "X: y", `{}`, dialecttest.Loopback, 400, 1012},
		{"no body", purgeLine + "X: y", ``, dialecttest.Loopback, 400, 1012},
		{"not everything", purgeLine + "X: y", `{"purge_everything":false}`, dialecttest.Loopback, 400, 1012},
		{"no JSON", purgeLine + "X: y", `tags=a`, dialecttest.Loopback, 400, 1012},
		{"no list", purgeLine + "X: y", `{"tags":"a"}`, dialecttest.Loopback, 400, 1014},
		{"a list of something else", purgeLine + "X: y", `{"files":[1]}`, dialecttest.Loopback, 400, 1014},
		{"a wildcard", purgeLine + "X: y", `{"files":["https://www.example.com/*"]}`, dialecttest.Loopback, 400, 1134},
		{"a host of another zone, behind a good one", purgeLine + "X: y", `{"files":["https://www.example.com/page","https://blog.example/"]}`, dialecttest.Loopback, 400, 1134},
		{"another method", strings.Replace(purgeLine, "POST", "GET", 1) + "X: y", ``, dialecttest.Loopback, 405, 10405},
		{"another path", "GET /client/v4/accounts HTTP/1.1\nHost: a", ``, dialecttest.Loopback, 404, 7003},
	} {
		t.Run(tc.name, func(t *testing.T) {
			node := dialecttest.New(t)
			node.From = tc.from
			got := send(t, node, tc.head, tc.body)
			if want := fmt.Sprintf(`{"result":null,"success":false,"errors":[{"code":%d,`, tc.code); got.Status != tc.status || !strings.HasPrefix(got.Body, want) {
				t.Errorf("answered %d %s, want %d %s", got.Status, got.Body, tc.status, want)
			}
			if state := node.State(t, "shop", page, "a"); state != purge.Live {
				t.Errorf("the object is %v", state)
			}
		})
	}
}

func TestLookUps(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"GET /client/v4/zones?name=www.example.com&status=active&page=1", `{"result":[{"id":"shop","name":"shop","status":"active","paused":false,"type":"full"}],"success":true,"errors":[],"messages":[],"result_info":{"page":1,"per_page":1,"count":1,"total_count":1,"total_pages":1}}`},
		{"GET /client/v4/zones?page=2", `{"result":[],"success":true,"errors":[],"messages":[],"result_info":{"page":1,"per_page":1,"count":0,"total_count":1,"total_pages":1}}`},
		{"GET /client/v4/zones/shop", `{"result":{"id":"shop","name":"shop","status":"active","paused":false,"type":"full"},"success":true,"errors":[],"messages":[]}`},
		{"GET /client/v4/user/tokens/verify", `{"result":{"id":"deploy","status":"active"},"success":true,"errors":[],"messages":[]}`},
	} {
		node := dialecttest.New(t)
		node.From = dialecttest.Stranger
		got := send(t, node, tc.line+" HTTP/1.1\nHost: a\nAuthorization: Bearer deploy-secret", "")
		if got.Status != 200 || got.Body != tc.want {
			t.Errorf("%s: %d %s", tc.line, got.Status, got.Body)
		}
	}
}

// FuzzBody holds that a body is either refused or names something.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"purge_everything":true}`, `{"files":["https://a/b",{"url":"//a/c","headers":{"X":"y"}}]}`, `{"tags":["A"],"hosts":["a"],"prefixes":["a/b"]}`,
		`{"files":null}`, `{"tags":"a"}`, `[]`, ``, `{"files":[{"url":1}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		selectors, err := parse(body)
		if (err == nil) != (len(selectors) > 0) {
			t.Errorf("%d selectors and %v", len(selectors), err)
		}
		for _, s := range selectors {
			if s.Kind == 0 {
				t.Errorf("an empty selector among %v", selectors)
			}
		}
	})
}
