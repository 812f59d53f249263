package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

const page = "https://www.example.com/docs/page"

// handlerOf returns a node's handler, whose every answer is held against the
// API's document.
func handlerOf(t *testing.T, n *dialecttest.Node) http.Handler {
	return newConforming(t, everything(n))
}

// everything returns a handler that has all paths.
func everything(n *dialecttest.Node) handler {
	return New(Config{
		Door: n.Door(), Status: status, Explain: explain, Tail: tail, Top: top,
		Confirmations: confirmations, Cluster: members{},
	}).(handler)
}

func status() api.Status {
	return api.Status{Node: "n1", POP: "p1", Version: "test", Started: time.Unix(0, 0).UTC(), Services: []api.ServiceStatus{
		{ID: "shop", Domains: []string{"www.example.com"}, Origins: []api.OriginStatus{{URL: "http://127.0.0.1:9000", Reason: "refused"}}},
		{ID: "blog", Domains: []string{"blog.example"}, Origins: []api.OriginStatus{}},
	}}
}

// explain knows pages of shop and of blog, and one that cannot be read.
func explain(_ context.Context, url string, request field.Fields) (api.Explanation, error) {
	now := time.Unix(1_800_000_000, 5).UTC()
	e := api.Explanation{URL: url, Node: "n1", Time: now, Outcome: api.WouldRefuse}
	switch url {
	case "https://www.example.com/page":
		e.Service, e.Outcome, e.Cached = "shop", api.WouldStale, true
		hit := api.PurgeHit{ID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Selector: &api.Selector{Kind: api.ByKey, Value: "k"}, Mode: api.Soft, Actor: "deploy", Time: now}
		e.Variants = []api.Variant{{URL: url, Matches: true, Status: 200, State: api.VariantStale, Keys: []string{"k"}, Size: 7, Hits: 3, Stamp: 1, StaleUntil: &now, Purge: &hit}}
		e.LastPurge, e.LastMiss = &hit, &api.LastMiss{Time: now, Reason: "purged", Purge: hit.ID}
		e.Hints = []api.Hint{{Code: api.HintSoftPurge, Text: "language " + fmt.Sprint(request)}}
	case "https://blog.example/":
		e.Service = "blog"
	case "ftp://x":
		return e, errors.New("the scheme is neither http nor https")
	}
	return e, nil
}

// tail sends two lines.
func tail(_ context.Context, t Tail) (<-chan []byte, error) {
	switch t.Filter {
	case "status>":
		return nil, errors.New("a number is missing at 7")
	case "busy":
		return nil, ErrTooManyTails
	}
	lines := make(chan []byte, 2)
	lines <- fmt.Appendf(nil, `{"filter":%q,"shop":%v,"blog":%v,"none":%v}`, t.Filter, t.May("shop"), t.May("blog"), t.May(""))
	lines <- []byte(`{"missed":2}` + "\n")
	close(lines)
	return lines, nil
}

func top(limit int, may func(string) bool) api.Top {
	t := api.Top{Node: "n1", Time: time.Unix(0, 0).UTC(), Window: api.Duration(time.Minute)}
	for _, service := range []string{"shop", "blog"} {
		if may(service) && len(t.URLs) < limit {
			t.URLs = append(t.URLs, api.Hot{Service: service, Name: "//" + service + ".example/", Rate: 1.5})
		}
	}
	return t
}

// send sends a request with a JSON body and returns the answer.
func send(t *testing.T, n *dialecttest.Node, line, token, body string) dialecttest.Answer {
	t.Helper()
	return dialecttest.Send(t, handlerOf(t, n), fmt.Sprintf(
		"%s HTTP/1.1\nHost: a\nAuthorization: Bearer %s\nContent-Type: application/json\nContent-Length: %d\n\n%s", line, token, len(body), body))
}

// decode reads the body of a success.
func decode[T any](t *testing.T, a dialecttest.Answer) T {
	t.Helper()
	var v T
	if a.Status/100 != 2 || a.Header.Get("Content-Type") != api.ContentType {
		t.Fatalf("answered %d %s %s", a.Status, a.Header.Get("Content-Type"), a.Body)
	}
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPurge(t *testing.T) {
	for _, tc := range []struct {
		name string
		body string
		keys []string // of the object at page
		want purge.State
	}{
		{"url", `{"urls":["https://www.example.com/docs/page"]}`, nil, purge.Withdrawn},
		{"url of the other scheme", `{"urls":["http://www.example.com/docs/page"]}`, nil, purge.Live},
		{"url of both schemes", `{"urls":["www.example.com/docs/page"]}`, nil, purge.Withdrawn},
		{"key", `{"service":"shop","keys":["other","k"]}`, []string{"k"}, purge.Withdrawn},
		{"another key", `{"service":"shop","keys":["other"]}`, []string{"k"}, purge.Live},
		{"path", `{"paths":["www.example.com/docs"]}`, nil, purge.Withdrawn},
		{"path on any host", `{"service":"shop","paths":["/docs/"]}`, nil, purge.Withdrawn},
		{"path that is no segment", `{"service":"shop","paths":["/doc"]}`, nil, purge.Live},
		{"host", `{"hosts":["www.example.com"]}`, nil, purge.Withdrawn},
		{"all", `{"service":"shop","all":true}`, nil, purge.Withdrawn},
		{"several at once", `{"service":"shop","keys":["x"],"urls":["//www.example.com/y"],"paths":["/docs"]}`, nil, purge.Withdrawn},
		{"ban by URL", `{"service":"shop","bans":["req.url ~ ^/docs/"]}`, nil, purge.Withdrawn},
		{"ban under a path", `{"bans":["req.http.host == www.example.com"],"under":"www.example.com/docs"}`, nil, purge.Withdrawn},
		{"ban under another path", `{"service":"shop","bans":["req.url ~ page"],"under":"/news"}`, nil, purge.Live},
		{"ban of everything under a path", `{"service":"shop","bans":["req.url ~ ."],"under":"/docs"}`, nil, purge.Withdrawn},
		{"header", `{"service":"shop","headers":[{"name":"X-Product","value":"shoes/*"}]}`, nil, purge.Live},
		{"soft", `{"service":"shop","keys":["k"],"mode":"soft"}`, []string{"k"}, purge.Softened},
		{"soft with bounds", `{"service":"shop","keys":["k"],"mode":"soft","ttl":"1m","grace":"0s"}`, []string{"k"}, purge.Softened},
		{"soft with nothing left", `{"service":"shop","keys":["k"],"mode":"soft","ttl":"0s","grace":"0s","keep":"0s"}`, []string{"k"}, purge.Withdrawn},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := dialecttest.New(t)
			got := decode[api.Receipt](t, send(t, n, "POST /v1/purges", dialecttest.Deploy, tc.body))
			if got.Service != "shop" || got.Actor != "deploy" || got.Dialect != "native" || got.Position != 1 || got.Time.IsZero() {
				t.Errorf("receipt %+v", got)
			}
			if state := n.State(t, "shop", page, tc.keys...); state != tc.want {
				t.Errorf("the object is %v, want %v", state, tc.want)
			}
		})
	}
}

func TestReceiptSaysWhatWasAsked(t *testing.T) {
	n := dialecttest.New(t)
	got := decode[api.Receipt](t, send(t, n, "POST /v1/purges", dialecttest.Deploy,
		`{"urls":["HTTPS://WWW.example.com:443/a#top"],"mode":"soft","ttl":"90s","keep":"1h","note":"price list"}`))
	want := api.Selector{Kind: api.ByURL, Value: "https://www.example.com/a"}
	if len(got.Selectors) != 1 || got.Selectors[0] != want || got.Note != "price list" || got.Mode != api.Soft {
		t.Errorf("receipt %+v", got)
	}
	if got.TTL == nil || time.Duration(*got.TTL) != 90*time.Second || got.Grace != nil || got.Keep == nil || time.Duration(*got.Keep) != time.Hour {
		t.Errorf("bounds %v %v %v", got.TTL, got.Grace, got.Keep)
	}
	if got.Count == nil || *got.Count != dialecttest.Touched {
		t.Errorf("count %v", got.Count)
	}
}

func TestReceiptsAndRevert(t *testing.T) {
	n := dialecttest.New(t)
	var ids []string
	for _, key := range []string{"a", "b"} {
		r := decode[api.Receipt](t, send(t, n, "POST /v1/purges", dialecttest.Deploy, `{"service":"shop","keys":["`+key+`"]}`))
		ids = append(ids, r.ID)
	}
	list := decode[api.List](t, send(t, n, "GET /v1/purges", dialecttest.Watcher, ""))
	if len(list.Purges) != 2 || list.Purges[0].ID != ids[1] || list.Purges[1].ID != ids[0] {
		t.Errorf("list %+v, want the newest first", list)
	}
	if list = decode[api.List](t, send(t, n, "GET /v1/purges?limit=1", dialecttest.Watcher, "")); len(list.Purges) != 1 {
		t.Errorf("%d receipts, want 1", len(list.Purges))
	}
	rev := decode[api.Revert](t, send(t, n, "POST /v1/purges/"+ids[0]+"/revert", dialecttest.Editor, ""))
	if rev.ID != ids[0] || rev.Outcome != api.RevertDone || rev.Actor != "editor" {
		t.Errorf("revert %+v", rev)
	}
	if n.State(t, "shop", page, "a") != purge.Live || n.State(t, "shop", page, "b") != purge.Withdrawn {
		t.Error("not exactly the purge that was named is reverted")
	}
	again := decode[api.Revert](t, send(t, n, "POST /v1/purges/"+ids[0]+"/revert", dialecttest.Editor, ""))
	if again.Outcome != api.RevertAlready {
		t.Errorf("revert again %+v", again)
	}
	got := decode[api.Receipt](t, send(t, n, "GET /v1/purges/"+ids[0], dialecttest.Editor, ""))
	if got.Reverted == nil || got.Reverted.Outcome != api.RevertDone {
		t.Errorf("receipt %+v", got)
	}
}

func TestStatusShowsOnesOwn(t *testing.T) {
	n := dialecttest.New(t)
	if got := decode[api.Status](t, send(t, n, "GET /v1/status", dialecttest.Editor, "")); got.Node != "n1" || len(got.Services) != 1 {
		t.Errorf("an editor of one service sees %+v", got.Services)
	}
	if got := decode[api.Status](t, send(t, n, "GET /v1/status", "", "")); len(got.Services) != 2 {
		t.Errorf("the node's own host sees %+v", got.Services)
	}
}

func TestFaults(t *testing.T) {
	keys := make([]string, 257)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"key-%d"`, i)
	}
	for _, tc := range []struct {
		name, line, token, body string
		status                  int
		kind                    string // the last segment of its type
	}{
		{"wrong token", "POST /v1/purges", dialecttest.Wrong, `{"service":"shop","all":true}`, 401, "unauthenticated"},
		{"wrong token and no JSON", "POST /v1/purges", dialecttest.Wrong, `{`, 401, "unauthenticated"},
		{"wrong token for reading", "GET /v1/purges", dialecttest.Wrong, "", 401, "unauthenticated"},
		{"wrong token for the status", "GET /v1/status", dialecttest.Wrong, "", 401, "unauthenticated"},
		{"token that only reads", "POST /v1/purges", dialecttest.Watcher, `{"service":"shop","keys":["k"]}`, 403, "forbidden"},
		{"token for some", "POST /v1/purges", dialecttest.Editor, `{"service":"shop","all":true}`, 403, "forbidden"},
		{"token of another service", "POST /v1/purges", dialecttest.Editor, `{"service":"blog","keys":["k"]}`, 403, "forbidden"},
		{"unknown service", "POST /v1/purges", dialecttest.Root, `{"service":"nobody","keys":["k"]}`, 404, "unknown-service"},
		{"no service", "POST /v1/purges", dialecttest.Root, `{"keys":["k"]}`, 404, "unknown-service"},
		{"unknown host", "POST /v1/purges", dialecttest.Root, `{"urls":["nobody.example/"]}`, 404, "unknown-service"},
		{"another's host", "POST /v1/purges", dialecttest.Root, `{"service":"shop","urls":["blog.example/"]}`, 400, "bad-selector"},
		{"257 keys", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":[` + strings.Join(keys, ",") + `]}`, 400, "too-many"},
		{"a key of 2 KB", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":["` + strings.Repeat("k", 2048) + `"]}`, 400, "bad-selector"},
		{"a bad ban", "POST /v1/purges", dialecttest.Root, `{"service":"shop","bans":["req.url ~ ("]}`, 400, "bad-selector"},
		{"a ban of what is not stored", "POST /v1/purges", dialecttest.Root, `{"service":"shop","bans":["req.http.cookie ~ x"]}`, 400, "bad-selector"},
		{"any header", "POST /v1/purges", dialecttest.Root, `{"service":"shop","headers":[{"name":"*"}]}`, 400, "bad-selector"},
		{"under alone", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":["k"],"under":"/docs"}`, 400, "bad-request"},
		{"under nothing", "POST /v1/purges", dialecttest.Root, `{"service":"shop","bans":["obj.status == 404"],"under":"ftp://x/"}`, 400, "bad-selector"},
		{"a ban of everything with a token for some", "POST /v1/purges", dialecttest.Editor, `{"service":"shop","bans":["req.url ~ ."]}`, 403, "forbidden"},
		{"a bad URL", "POST /v1/purges", dialecttest.Root, `{"urls":["ftp://www.example.com/"]}`, 400, "bad-selector"},
		{"nothing named", "POST /v1/purges", dialecttest.Root, `{"service":"shop"}`, 400, "bad-request"},
		{"no body", "POST /v1/purges", dialecttest.Root, "", 400, "bad-request"},
		{"malformed JSON", "POST /v1/purges", dialecttest.Root, `{"service":`, 400, "bad-request"},
		{"two objects", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":["k"]}{}`, 400, "bad-request"},
		{"wrong type", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":"k"}`, 400, "bad-request"},
		{"misspelt selector", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":["k"],"path":"/a"}`, 400, "bad-request"},
		{"unknown mode", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":["k"],"mode":"warm"}`, 400, "bad-request"},
		{"hard with bounds", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":["k"],"ttl":"1s"}`, 400, "bad-request"},
		{"negative bound", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":["k"],"mode":"soft","grace":"-1s"}`, 400, "bad-request"},
		{"bound without a unit", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":["k"],"mode":"soft","grace":"10"}`, 400, "bad-request"},
		{"long note", "POST /v1/purges", dialecttest.Root, `{"service":"shop","keys":["k"],"note":"` + strings.Repeat("x", 300) + `"}`, 400, "bad-request"},
		{"unknown purge", "GET /v1/purges/01ARZ3NDEKTSV4RRFFQ69G5FAV", dialecttest.Root, "", 404, "unknown-purge"},
		{"no id", "GET /v1/purges/x", dialecttest.Root, "", 404, "unknown-purge"},
		{"revert of an unknown purge", "POST /v1/purges/01ARZ3NDEKTSV4RRFFQ69G5FAV/revert", dialecttest.Root, "", 404, "unknown-purge"},
		{"bad limit", "GET /v1/purges?limit=0", dialecttest.Root, "", 400, "bad-request"},
		{"unknown path", "GET /v1/purge", dialecttest.Root, "", 404, "about:blank"},
		{"unknown method", "DELETE /v1/purges", dialecttest.Root, "", 405, "about:blank"},
		{"unknown method of a purge", "BREW /v1/purges/01ARZ3NDEKTSV4RRFFQ69G5FAV", dialecttest.Root, "", 405, "about:blank"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := dialecttest.New(t)
			check(t, send(t, n, tc.line, tc.token, tc.body), tc.status, tc.kind)
			if n.State(t, "shop", page, "k") != purge.Live {
				t.Error("something was purged all the same")
			}
		})
	}
}

// check tells whether an answer is a problem that says what to do.
func check(t *testing.T, got dialecttest.Answer, status int, kind string) {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal([]byte(got.Body), &p); err != nil {
		t.Fatalf("answered %d %q: %v", got.Status, got.Body, err)
	}
	if got.Status != status || p.Status != status || !strings.HasSuffix(p.Type, kind) {
		t.Errorf("answered %d %s; want %d %s", got.Status, got.Body, status, kind)
	}
	if p.Title == "" || p.Next == "" || strings.Contains(p.Detail, "struct") {
		t.Errorf("problem %s does not help", got.Body)
	}
	if got.Header.Get("Content-Type") != api.ProblemContentType {
		t.Errorf("Content-Type is %q", got.Header.Get("Content-Type"))
	}
	if allow := got.Header.Get("Allow"); (status == 405) != (allow != "") {
		t.Errorf("Allow is %q", allow)
	}
}

func TestStrangersAreRefusedWithoutAToken(t *testing.T) {
	n := dialecttest.New(t)
	n.From = dialecttest.Stranger
	for _, line := range []string{
		"POST /v1/purges", "GET /v1/purges", "GET /v1/status",
		"GET /v1/purges/01ARZ3NDEKTSV4RRFFQ69G5FAV", "POST /v1/purges/01ARZ3NDEKTSV4RRFFQ69G5FAV/revert",
	} {
		check(t, send(t, n, line, "", `{"service":"shop","all":true}`), 401, "unauthenticated")
	}
	if n.State(t, "shop", page) != purge.Live {
		t.Error("a stranger purged")
	}
}

func TestContentTypes(t *testing.T) {
	const body = `{"service":"shop","keys":["k"]}`
	for kind, status := range map[string]int{
		"": 200, "application/json": 200, "application/json; charset=utf-8": 200,
		"application/x-www-form-urlencoded": 415, "text/plain": 415, ";": 415,
	} {
		n := dialecttest.New(t)
		line := ""
		if kind != "" {
			line = "Content-Type: " + kind + "\n"
		}
		got := dialecttest.Send(t, handlerOf(t, n), fmt.Sprintf("POST /v1/purges HTTP/1.1\nHost: a\n%sContent-Length: %d\n\n%s", line, len(body), body))
		if got.Status != status {
			t.Errorf("%q: answered %d %s, want %d", kind, got.Status, got.Body, status)
		}
	}
}

func FuzzParsePurge(f *testing.F) {
	for _, seed := range []string{
		`{"service":"shop","keys":["a"],"mode":"soft","ttl":"1m"}`, `{"urls":["//h/p"],"paths":["/"],"hosts":["h"],"all":true}`, `{}`, `null`, `[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p api.Purge
		if parseJSON(body, &p) != nil {
			return
		}
		r, err := requestOf(p)
		if err != nil {
			return
		}
		if len(r.Selectors) > purge.MaxKeys+1 {
			t.Errorf("%d selectors", len(r.Selectors))
		}
		if r.Effect.Mode == purge.Hard && r.Effect != (purge.Effect{}) {
			t.Errorf("a hard purge with %+v", r.Effect)
		}
	})
}
