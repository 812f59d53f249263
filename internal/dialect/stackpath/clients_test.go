package stackpath

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

const page = "https://www.example.com/dir/page"

var key = Key{1, 2, 3}

func newAPI(n *dialecttest.Node) Config { return Config{Door: n.Door(), Key: key} }

// send sends a request with a body to an API.
func send(t *testing.T, c Config, head, body string) dialecttest.Answer {
	t.Helper()
	return dialecttest.Send(t, New(c), fmt.Sprintf("%s\nContent-Length: %d\n\n%s", head, len(body), body))
}

// accessToken asks for one as the deploy client.
func accessToken(t *testing.T, c Config) string {
	t.Helper()
	got := send(t, c, "POST /identity/v1/oauth2/token HTTP/1.1\nHost: gateway.stackpath.com\nAccept: application/json\nContent-Type: application/json",
		`{"grant_type":"client_credentials","client_id":"deploy","client_secret":"deploy-secret"}`)
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(got.Body), &answer); got.Status != 200 || err != nil || answer.Token == "" {
		t.Fatalf("no access token: %d %s", got.Status, got.Body)
	}
	return answer.Token
}

// TestClients sends what public clients and the product's documents have.
func TestClients(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		path       string // "": that of the API
		url        string // of an object that must be in state
		want       purge.State
		live       string // of one that must stay; "": /other
	}{
		{name: "a file", body: `{"items":[{"url":"//www.example.com/dir/page"}]}`, url: page, want: purge.Withdrawn},
		{name: "a file under the other scheme", body: `{"items":[{"url":"//www.example.com/dir/page"}]}`, url: "http://www.example.com/dir/page", want: purge.Withdrawn},
		{name: "a file of one scheme", body: `{"items":[{"url":"https://www.example.com/dir/page"}]}`, url: page, want: purge.Withdrawn, live: "http://www.example.com/dir/page"},
		{name: "a file without its query", body: `{"items":[{"url":"//www.example.com/dir/page"}]}`, url: page, want: purge.Withdrawn, live: page + "?v=1"},
		{name: "all versions of a file", body: `{"items":[{"url":"//www.example.com/dir/page","recursive":true}]}`, url: page + "?v=1", want: purge.Withdrawn},
		{name: "a directory", body: `{"items":[{"url":"//www.example.com/dir/","recursive":true}]}`, url: page, want: purge.Withdrawn},
		{name: "WordPress purges a site", body: `{"items":[{"url":"//www.example.com/","recursive":true}]}`, url: page, want: purge.Withdrawn, live: "none"},
		{name: "only invalidated", body: `{"items":[{"url":"//www.example.com/dir/","recursive":true,"invalidateOnly":true}]}`, url: page, want: purge.Softened},
		{
			name: "a shell script, and pystackpath, with every member",
			body: `{"items":[{"url":"https://www.example.com/dir/","recursive":true,"invalidateOnly":false,"purgeAllDynamic":false,"headers":[],"purgeSelector":[]}]}`,
			url:  page, want: purge.Withdrawn,
		},
		{
			name: "variants, however they are asked for", body: `{"items":[{"url":"//www.example.com/dir/page","purgeAllDynamic":true,"headers":["Accept-Encoding: gzip"]}]}`,
			url: page, want: purge.Withdrawn,
		},
		{
			name: "the older API", path: "/api/accounts/shop/purge", body: `{"list":[{"url":"//www.example.com/dir/page","purgeAllDynamic":true}]}`,
			url: page, want: purge.Withdrawn,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			node := dialecttest.New(t)
			node.From = dialecttest.Stranger
			c := newAPI(node)
			head := "Host: gateway.stackpath.com\nAuthorization: bearer " + accessToken(t, c) + "\nContent-Type: application/json"
			path := "/cdn/v1/stacks/shop/purge"
			if tc.path != "" {
				path = tc.path
			}
			got := send(t, c, "POST "+path+" HTTP/1.1\n"+head, tc.body)
			var id struct{ ID string }
			if err := json.Unmarshal([]byte(got.Body), &id); err != nil || got.Status != 200 || len(id.ID) != 26 {
				t.Fatalf("answered %d %s", got.Status, got.Body)
			}
			if state := node.State(t, "shop", tc.url); state != tc.want {
				t.Errorf("the object is %v, want %v", state, tc.want)
			}
			if tc.live == "" {
				tc.live = "https://www.example.com/other"
			}
			if tc.live != "none" && node.State(t, "shop", tc.live) != purge.Live {
				t.Errorf("%s is %v", tc.live, node.State(t, "shop", tc.live))
			}
			got = send(t, c, "GET "+path+"/"+id.ID+" HTTP/1.1\n"+head, "")
			if got.Status != 200 || got.Body != `{"progress":1}` {
				t.Errorf("status %d %s", got.Status, got.Body)
			}
		})
	}
}

// half is a Reach of a cluster in which half of the nodes lag.
type half struct{ dialect.ThisNode }

func (half) Reached(context.Context, control.Receipt) (applied, nodes int) { return 2, 4 }

func TestProgressOfBothModes(t *testing.T) {
	node := dialecttest.New(t)
	c := newAPI(node)
	c.Reach = half{}
	got := send(t, c, "POST /cdn/v1/stacks/shop/purge HTTP/1.1\nHost: a", `{"items":[{"url":"//www.example.com/a"},{"url":"//www.example.com/b","invalidateOnly":true}]}`)
	if !regexp.MustCompile(`^{"id":"\w{26}-\w{26}"}$`).MatchString(got.Body) {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if a, b := node.State(t, "shop", "//www.example.com/a"), node.State(t, "shop", "//www.example.com/b"); a != purge.Withdrawn || b != purge.Softened {
		t.Errorf("the objects are %v and %v", a, b)
	}
	id := got.Body[7 : len(got.Body)-2]
	if got = send(t, c, "GET /cdn/v1/stacks/shop/purge/"+id+" HTTP/1.1\nHost: a", ""); got.Body != `{"progress":0.5}` {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	for _, path := range []string{"/cdn/v1/stacks/blog/purge/" + id, "/cdn/v1/stacks/shop/purge/x", "/cdn/v1/stacks/shop/purge/" + id + "-"} {
		if got = send(t, c, "GET "+path+" HTTP/1.1\nHost: a", ""); got.Status != 404 || !strings.HasPrefix(got.Body, `{"code":5,`) {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
}

// TestAccessToken decodes one as the WordPress plugin does.
func TestAccessToken(t *testing.T) {
	node := dialecttest.New(t)
	node.From = dialecttest.Stranger
	c := newAPI(node)
	parts := strings.Split(accessToken(t, c), ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	var head struct{ Alg string }
	var claims struct {
		Exp int64
		Sub string
	}
	for i, into := range []any{&head, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			t.Fatalf("part %d is %q", i, text)
		}
	}
	if left := time.Until(time.Unix(claims.Exp, 0)); head.Alg != "HS256" || claims.Sub != "deploy" || left < 59*time.Minute || left > time.Hour {
		t.Errorf("%+v %+v", head, claims)
	}
	if strings.Contains(strings.Join(parts, ""), "deploy-secret") {
		t.Error("it holds the secret")
	}
}

func TestTokenRefused(t *testing.T) {
	for _, tc := range []struct {
		body         string
		status, code int
	}{
		{`{"grant_type":"client_credentials","client_id":"nobody","client_secret":"deploy-secret"}`, 404, 5},
		{`{"grant_type":"client_credentials","client_id":"deploy","client_secret":"wrong-secret"}`, 404, 5},
		{`{"grant_type":"client_credentials","client_id":"expired","client_secret":"expired-secret"}`, 404, 5},
		{`{"grant_type":"password","client_id":"deploy","client_secret":"deploy-secret"}`, 400, 3},
		{`{"grant_type":"client_credentials"}`, 400, 3},
		{`[]`, 400, 3},
		{``, 400, 3},
	} {
		got := send(t, newAPI(dialecttest.New(t)), "POST /identity/v1/oauth2/token HTTP/1.1\nHost: a", tc.body)
		want := regexp.MustCompile(fmt.Sprintf(`^{"code":%d,"message":"[^"]+","details":\[{"@type":"stackpath.rpc.RequestInfo","requestId":"[0-9a-f]{16}","servingData":""}\]}$`, tc.code))
		if got.Status != tc.status || !want.MatchString(got.Body) {
			t.Errorf("%s: %d %s", tc.body, got.Status, got.Body)
		}
	}
	form := send(t, newAPI(dialecttest.New(t)), "POST /identity/v1/oauth2/token HTTP/1.1\nHost: a", "grant_type=client_credentials&client_id=deploy&client_secret=deploy-secret")
	if form.Status != 200 {
		t.Errorf("as a form: %d %s", form.Status, form.Body)
	}
}

func TestRefused(t *testing.T) {
	node := dialecttest.New(t)
	node.From = dialecttest.Stranger
	now := time.Now()
	expired := key.sign(claims{Issuer: issuer, Subject: "deploy", Expires: now.Unix(), Grant: "x"})
	forged := Key{9}.sign(claims{Issuer: issuer, Subject: "deploy", Expires: now.Add(time.Hour).Unix(), Grant: "x"})
	unknown := key.sign(claims{Issuer: issuer, Subject: "deploy", Expires: now.Add(time.Hour).Unix(), Grant: "x"})
	const one = `{"items":[{"url":"//www.example.com/dir/page"}]}`
	for _, tc := range []struct {
		name, path, auth, body string
		status, code           int
	}{
		{"nobody", "shop", "", one, 401, 16},
		{"an expired access token", "shop", expired, one, 401, 16},
		{"a forged access token", "shop", forged, one, 401, 16},
		{"an access token of a token that is gone", "shop", unknown, one, 401, 16},
		{"a scope that is missing", "shop", "watcher-secret", one, 403, 7},
		{"a stack of nobody's", "x", "root-secret", one, 404, 5},
		{"no items", "shop", "deploy-secret", `{"items":[]}`, 400, 3},
		{"no JSON", "shop", "deploy-secret", `x`, 400, 3},
		{"an item without a URL", "shop", "deploy-secret", `{"items":[{"recursive":true}]}`, 400, 3},
		{"a host of another stack, behind a good one", "shop", "deploy-secret", `{"items":[{"url":"//www.example.com/dir/page"},{"url":"//blog.example/"}]}`, 400, 3},
		{"an unknown type of selector", "shop", "deploy-secret", `{"items":[{"url":"//www.example.com/dir/page","purgeSelector":{"selectorType":"X","selectorName":"a","selectorValue":"b"}}]}`, 400, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			head := "POST /cdn/v1/stacks/" + tc.path + "/purge HTTP/1.1\nHost: a"
			if tc.auth != "" {
				head += "\nAuthorization: Bearer " + tc.auth
			}
			got := send(t, newAPI(node), head, tc.body)
			if got.Status != tc.status || !strings.HasPrefix(got.Body, fmt.Sprintf(`{"code":%d,"message":`, tc.code)) {
				t.Errorf("answered %d %s", got.Status, got.Body)
			}
			if state := node.State(t, "shop", page); state != purge.Live {
				t.Errorf("the object is %v", state)
			}
		})
	}
}

func TestLookUps(t *testing.T) {
	for line, want := range map[string]string{
		"GET /stack/v1/stacks/shop": `{"id":"shop","accountId":"shop","slug":"shop","name":"shop","status":"ACTIVE"}`,
		"GET /stack/v1/stacks":      `{"pageInfo":{"totalCount":"1","hasPreviousPage":false,"hasNextPage":false},"results":[{"id":"shop","accountId":"shop","slug":"shop","name":"shop","status":"ACTIVE"}]}`,
	} {
		node := dialecttest.New(t)
		node.From = dialecttest.Stranger
		got := send(t, newAPI(node), line+" HTTP/1.1\nHost: a\nAuthorization: Bearer deploy-secret", "")
		if got.Status != 200 || got.Body != want {
			t.Errorf("%s: %d %s", line, got.Status, got.Body)
		}
	}
	for line, status := range map[string]int{
		"GET /stack/v1/stacks/blog": 404, "GET /cdn/v1/stacks/shop/purge": 405, "DELETE /stack/v1/stacks/shop": 405, "GET /cdn/v1/x": 404, "GET /cdn/v1/stacks//purge/x": 404,
	} {
		node := dialecttest.New(t)
		got := send(t, newAPI(node), line+" HTTP/1.1\nHost: a\nAuthorization: Bearer deploy-secret", "")
		if got.Status != status {
			t.Errorf("%s: %d %s", line, got.Status, got.Body)
		}
	}
}
