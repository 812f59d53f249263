package fastly

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

const ulid = 26

// TestClients sends what public clients put on the wire.
func TestClients(t *testing.T) {
	const page = "https://www.example.com/page"
	for _, tc := range []struct {
		name string
		raw  string
		body string // with every purge id written as ID
		keys string // Fastly-Surrogate-Key-Count
		url  string // of an object, with its surrogate keys, that must be in state
		tags []string
		want purge.State
	}{
		{
			name: "go-fastly purges keys",
			raw: `POST /service/shop/purge HTTP/1.1
Host: api.fastly.com
User-Agent: FastlyGo/3.8.0 (+github.com/fastly/go-fastly; go1.16)
Content-Length: 0
Fastly-Key: deploy-secret
Surrogate-Key: foo bar baz
Accept-Encoding: gzip

`,
			body: `{"foo":"ID","bar":"ID","baz":"ID"}`, keys: "3",
			url: page, tags: []string{"baz"}, want: purge.Withdrawn,
		}, {
			name: "go-fastly purges a key with an escaped slash",
			raw: `POST /service/shop/purge/k%2F1%20x HTTP/1.1
Host: 127.0.0.1
Fastly-Key: deploy-secret
Content-Length: 0

`,
			body: `{"status":"ok","id":"ID"}`, keys: "1",
			url: page, tags: []string{"k/1 x"}, want: purge.Withdrawn,
		}, {
			name: "shell script purges a key with raw slash and question mark",
			raw: `POST /service/shop/purge/k/1?v=2 HTTP/1.1
Host: 127.0.0.1
Fastly-Key: deploy-secret
Content-Length: 0

`,
			body: `{"status":"ok","id":"ID"}`, keys: "1",
			url: page, tags: []string{"k/1?v=2"}, want: purge.Withdrawn,
		}, {
			name: "go-fastly purges all",
			raw: `POST /service/shop/purge_all HTTP/1.1
Host: api.fastly.com
User-Agent: FastlyGo/5.1.1 (+github.com/fastly/go-fastly; go1.17)
Fastly-Key: deploy-secret
Content-Length: 0

`,
			body: `{"status":"ok"}`, url: page, want: purge.Withdrawn,
		}, {
			name: "go-fastly purges a URL, its query rebuilt",
			raw: `POST /purge/https://www.example.com/page?a=1&f= HTTP/1.1
Host: 127.0.0.1
Fastly-Key: deploy-secret
Fastly-Soft-Purge: 1
Content-Length: 0

`,
			body: `{"status":"ok","id":"ID"}`,
			url:  "http://www.example.com/page?f&a=1", want: purge.Softened,
		}, {
			name: "an old go-fastly purges a URL by method",
			raw: `PURGE /https://www.example.com/page HTTP/1.1
Host: api.fastly.com
Fastly-Key: deploy-secret

`,
			body: `{"status":"ok","id":"ID"}`, url: page, want: purge.Withdrawn,
		}, {
			name: "fastly-js purges keys by header and body",
			raw: `POST /service/shop/purge HTTP/1.1
Host: 127.0.0.1
User-Agent: fastly-js/15.0.0
Content-Type: application/json
Accept: application/json
Fastly-Key: deploy-secret
fastly-soft-purge: 1
surrogate-key: key_1 key_2
Content-Length: 36

{"surrogate_keys":["key_2","key_3"]}`,
			body: `{"key_2":"ID","key_3":"ID","key_1":"ID"}`, keys: "3",
			url: page, tags: []string{"key_3"}, want: purge.Softened,
		}, {
			name: "Python purges keys by header, typed JSON with an empty body",
			raw: `POST /service/shop/purge HTTP/1.1
Host: 127.0.0.1
User-Agent: OpenAPI-Generator/1.0.0/python
Content-Type: application/json
Accept: application/json
fastly-key: deploy-secret
surrogate-key: all
Content-Length: 0

`,
			body: `{"all":"ID"}`, keys: "1", url: page, tags: []string{"all"}, want: purge.Withdrawn,
		}, {
			name: "Python purges a URL, untouched and bare",
			raw: `POST /purge/www.example.com/page?b=2&a=1 HTTP/1.1
Host: 127.0.0.1
fastly-key: deploy-secret
Content-Length: 0

`,
			body: `{"status":"ok","id":"ID"}`, url: page + "?a=1&b=2", want: purge.Withdrawn,
		}, {
			name: "Ruby purges a key with a form type",
			raw: `POST /service/shop/purge/article-7 HTTP/1.1
Host: 127.0.0.1
Accept: application/json
Content-Type: application/x-www-form-urlencoded
Fastly-Key: deploy-secret
Connection: close
Content-Length: 0

`,
			body: `{"status":"ok","id":"ID"}`, keys: "1", url: page, tags: []string{"article-7"}, want: purge.Withdrawn,
		}, {
			name: "Magento purges tags softly",
			raw: `POST /service/shop/purge HTTP/1.1
Host: 127.0.0.1
Fastly-Key: deploy-secret
User-Agent: Fastly-Magento-1.2.100
Content-Type: application/json
Accept: application/json
Fastly-Soft-Purge: 1
Content-Length: 39

{"surrogate_keys":["cat_p_1","cat_p1"]}`,
			body: `{"cat_p_1":"ID","cat_p1":"ID"}`, keys: "2",
			url: page, tags: []string{"cat_p_1"}, want: purge.Softened,
		}, {
			name: "Magento purges all softly",
			raw: `POST /service/shop/purge_all HTTP/1.1
Host: 127.0.0.1
Fastly-Key: deploy-secret
Fastly-Soft-Purge: 1
Content-Length: 0

`,
			body: `{"status":"ok"}`, url: page, want: purge.Softened,
		}, {
			name: "WordPress purges its one fallback key",
			raw: `POST /service/shop/purge HTTP/1.1
Host: 127.0.0.1
User-Agent: WordPress/6.4; https://www.example.com
Surrogate-Key: holos
Fastly-Key: deploy-secret
Fastly-Soft-Purge: 1
Connection: close
Content-Length: 0

`,
			body: `{"holos":"ID"}`, keys: "1", url: page, tags: []string{"holos"}, want: purge.Softened,
		}, {
			name: "FOSHttpCache purges tags, untyped and for Fastly's host",
			raw: `POST /service/shop/purge HTTP/1.1
Host: api.fastly.com
Accept: application/json
Fastly-Soft-Purge: 1
Fastly-Key: deploy-secret
Connection: close
Content-Length: 31

{"surrogate_keys":["t-1","é"]}`,
			body: `{"t-1":"ID","é":"ID"}`, keys: "2", url: page, tags: []string{"t-1"}, want: purge.Softened,
		}, {
			name: "FOSHttpCache purges a URL through the API listener",
			raw: `PURGE /page?x=1 HTTP/1.1
Host: www.example.com
Fastly-Soft-Purge: 
Fastly-Key: deploy-secret

`,
			body: `{"status":"ok","id":"ID"}`, url: page + "?x=1", want: purge.Softened,
		}, {
			name: "curl sends JSON as a form",
			raw: `POST /service/shop/purge HTTP/1.1
Host: 127.0.0.1:8081
User-Agent: curl/8.5.0
Authorization: Bearer deploy-secret
Content-Type: application/x-www-form-urlencoded
Content-Length: 24

{"surrogate_keys":["a"]}`,
			body: `{"a":"ID"}`, keys: "1", url: page, tags: []string{"a"}, want: purge.Withdrawn,
		}, {
			name: "curl on the node itself needs no token",
			raw: `POST /service/shop/purge/a HTTP/1.1
Host: 127.0.0.1:8081
User-Agent: curl/8.5.0

`,
			body: `{"status":"ok","id":"ID"}`, keys: "1", url: page, tags: []string{"a"}, want: purge.Withdrawn,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			node := dialecttest.New(t)
			got := dialecttest.Send(t, API(node.Door()), tc.raw)
			if got.Status != 200 || hideIDs(got.Body) != tc.body {
				t.Fatalf("answered %d %s; want 200 %s", got.Status, got.Body, tc.body)
			}
			if kind := got.Header.Get("Content-Type"); kind != "application/json" {
				t.Errorf("Content-Type is %q; clients compare it with application/json", kind)
			}
			if count := got.Header.Get("Fastly-Surrogate-Key-Count"); count != tc.keys {
				t.Errorf("Fastly-Surrogate-Key-Count is %q, want %q", count, tc.keys)
			}
			if state := node.State(t, "shop", tc.url, tc.tags...); state != tc.want {
				t.Errorf("the object is %v, want %v", state, tc.want)
			}
			if state := node.State(t, "shop", "https://www.example.com/other", "other"); strings.Contains(tc.body, "ID") && state != purge.Live {
				t.Errorf("an object that was not named is %v", state)
			}
			if state := node.State(t, "blog", "https://blog.example/page", tc.tags...); state != purge.Live {
				t.Errorf("an object of another service is %v", state)
			}
		})
	}
}

// hideIDs replaces the purge ids in a flat JSON object.
func hideIDs(body string) string {
	var out strings.Builder
	for i, part := range strings.Split(body, `"`) {
		if i > 0 {
			out.WriteByte('"')
		}
		if _, err := purge.ParseID(part); err == nil && len(part) == ulid {
			part = "ID"
		}
		out.WriteString(part)
	}
	return out.String()
}

func TestCommandLineSends300KeysInOneHeader(t *testing.T) {
	node := dialecttest.New(t)
	keys := manyKeys(300)
	got := dialecttest.Send(t, API(node.Door()), "POST /service/shop/purge HTTP/1.1\nHost: a\nFastly-Key: deploy-secret\n"+
		"Surrogate-Key: "+strings.Join(keys, " ")+"\nContent-Length: 0\n\n")
	var ids map[string]string
	if err := json.Unmarshal([]byte(got.Body), &ids); err != nil || got.Status != 200 {
		t.Fatalf("answered %d %.100s", got.Status, got.Body)
	}
	if got.Header.Get("Fastly-Surrogate-Key-Count") != "300" {
		t.Errorf("Fastly-Surrogate-Key-Count is %q", got.Header.Get("Fastly-Surrogate-Key-Count"))
	}
	for _, key := range keys {
		if ids[key] == "" {
			t.Fatalf("no id for %q", key)
		}
		if node.State(t, "shop", "https://www.example.com/", key) != purge.Withdrawn {
			t.Fatalf("key %q was not purged", key)
		}
	}
}

func manyKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%d", i)
	}
	return keys
}

func TestCommandLineLooksAround(t *testing.T) {
	node := dialecttest.New(t)
	for _, tc := range []struct {
		target string
		status int
		body   string
	}{
		{"/realms/fastly/.well-known/openid-configuration", 404, `{"msg":"Record not found","detail":"this server knows no such path; it purges, and lists services"}`},
		{"/service?page=1&per_page=100", 200, `[{"id":"shop","name":"shop","type":"vcl","version":1,"versions":[{"number":1,"active":true,"service_id":"shop"}]}]`},
		{"/service?page=2&per_page=100", 200, `[]`},
		{"/service/shop", 200, `{"id":"shop","name":"shop","type":"vcl","version":1,"versions":[{"number":1,"active":true,"service_id":"shop"}]}`},
		{"/service/search?name=shop", 200, `{"id":"shop","name":"shop","type":"vcl","version":1,"versions":[{"number":1,"active":true,"service_id":"shop"}]}`},
		{"/service/blog", 404, `{"msg":"Record not found","detail":"unknown service \"blog\""}`}, // not this token's
	} {
		got := dialecttest.Send(t, API(node.Door()), "GET "+tc.target+" HTTP/1.1\nHost: a\nFastly-Key: deploy-secret\n\n")
		if got.Status != tc.status || got.Body != tc.body {
			t.Errorf("GET %s: %d %s; want %d %s", tc.target, got.Status, got.Body, tc.status, tc.body)
		}
	}
}

// TestPurgeMethod is about PURGE on the sites' own listeners.
func TestPurgeMethod(t *testing.T) {
	const refused = `{"msg":"Provided credentials are missing or invalid"}`
	for _, tc := range []struct {
		name   string
		from   string
		target string
		extra  string
		status int
		state  purge.State
	}{
		{"from the node itself", "loopback", "/page", "", 200, purge.Withdrawn},
		{"softly", "loopback", "/page", "Fastly-Soft-Purge: 0\n", 200, purge.Softened},
		{"from an allowed address", "office", "/page", "", 200, purge.Withdrawn},
		{"from anywhere", "stranger", "/page", "", 401, purge.Live},
		{"from anywhere with a token", "stranger", "/page", "Fastly-Key: editor-secret\n", 200, purge.Withdrawn},
		{"with a bearer token", "stranger", "/page", "Authorization: Bearer editor-secret\n", 200, purge.Withdrawn},
		{"with a wrong token from an allowed address", "office", "/page", "Fastly-Key: wrong-secret\n", 401, purge.Live},
		{"with a token that cannot purge", "loopback", "/page", "Fastly-Key: watcher-secret\n", 403, purge.Live},
		{"another page", "loopback", "/page2", "", 200, purge.Live},
		{"in absolute form", "loopback", "http://www.example.com/page", "", 200, purge.Withdrawn},
		{"by another spelling", "loopback", "/p%61ge", "", 200, purge.Withdrawn},
		{"what looks like a URL is a path", "loopback", "/https://www.example.com/page", "", 200, purge.Live},
	} {
		t.Run(tc.name, func(t *testing.T) {
			node := dialecttest.New(t)
			switch tc.from {
			case "office":
				node.From = dialecttest.Office
			case "stranger":
				node.From = dialecttest.Stranger
			}
			got := dialecttest.Send(t, Purge(node.Door()), "PURGE "+tc.target+" HTTP/1.1\nHost: www.example.com\n"+tc.extra+"\n")
			if got.Status != tc.status {
				t.Fatalf("answered %d %s; want %d", got.Status, got.Body, tc.status)
			}
			if got.Status == 401 && got.Body != refused {
				t.Errorf("refused with %s; a client compares it with %s", got.Body, refused)
			}
			if count := got.Header.Get(HeaderCount); got.Status == 200 && count != fmt.Sprint(dialecttest.Touched) {
				t.Errorf("%s is %q", HeaderCount, count)
			}
			if state := node.State(t, "shop", "https://www.example.com/page"); state != tc.state {
				t.Errorf("the object is %v, want %v", state, tc.state)
			}
		})
	}
}

func TestPurgeMethodWithRequiredToken(t *testing.T) {
	node := dialecttest.New(t)
	got := dialecttest.Send(t, Purge(node.Door()), "PURGE / HTTP/1.1\nHost: locked.example\n\n")
	if got.Status != 401 || node.State(t, "locked", "http://locked.example/") != purge.Live {
		t.Errorf("answered %d without the token that the service requires", got.Status)
	}
	got = dialecttest.Send(t, Purge(node.Door()), "PURGE / HTTP/1.1\nHost: locked.example\nFastly-Key: root-secret\n\n")
	if got.Status != 200 || node.State(t, "locked", "http://locked.example/") != purge.Withdrawn {
		t.Errorf("answered %d %s with a token", got.Status, got.Body)
	}
}
