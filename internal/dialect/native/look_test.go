package native

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/field"
)

func TestExplain(t *testing.T) {
	n := dialecttest.New(t)
	ask := func(token string, query url.Values) dialecttest.Answer {
		t.Helper()
		return dialecttest.Send(t, handlerOf(t, n), recorded("GET /v1/explain?"+query.Encode(), token, ""))
	}
	got := decode[api.Explanation](t, ask(dialecttest.Editor, url.Values{
		"url": {"https://www.example.com/page"}, "header": {"Accept-Language: de", "Cookie:a=b; c"},
	}))
	if got.Service != "shop" || len(got.Variants) != 1 || got.LastMiss.Purge != got.LastPurge.ID {
		t.Errorf("explained %+v", got)
	}
	if want := "language [{Accept-Language de} {Cookie a=b; c}]"; got.Hints[0].Text != want {
		t.Errorf("the request imagined was %q, want %q", got.Hints[0].Text, want)
	}
	if got = decode[api.Explanation](t, ask(dialecttest.Root, url.Values{"url": {"https://nobody.example/"}})); got.Outcome != api.WouldRefuse {
		t.Errorf("a host that nobody has: %+v", got)
	}
	for _, u := range []string{"https://blog.example/", "https://nobody.example/"} {
		check(t, ask(dialecttest.Editor, url.Values{"url": {u}}), 404, "unknown-service")
	}
	for name, query := range map[string]url.Values{
		"no URL": {}, "a bad URL": {"url": {"ftp://x"}}, "no colon": {"url": {"x"}, "header": {"Accept"}},
		"a bad name": {"url": {"x"}, "header": {"a b: c"}}, "a bad value": {"url": {"x"}, "header": {"a: b\r\nc: d"}},
		"too many": {"url": {"x"}, "header": strings.Split(strings.Repeat("a:b\n", api.MaxExplainHeaders)+"a:b", "\n")},
	} {
		t.Run(name, func(t *testing.T) { check(t, ask(dialecttest.Root, query), 400, "bad-request") })
	}
}

func TestServices(t *testing.T) {
	for token, want := range map[string]int{dialecttest.Editor: 1, dialecttest.Root: 2} {
		got := decode[api.Services](t, dialecttest.Send(t, handlerOf(t, dialecttest.New(t)), recorded("GET /v1/services", token, "")))
		if len(got.Services) != want || got.Services[0].ID != "shop" {
			t.Errorf("%s sees %+v", token, got)
		}
	}
}

func TestWhatIsNotThereIsUnknown(t *testing.T) {
	h := New(Config{Door: dialecttest.New(t).Door(), Status: status})
	for _, path := range []string{"/v1/explain?url=x", "/v1/log", "/v1/top"} {
		check(t, dialecttest.Send(t, h, recorded("GET "+path, "", "")), 404, "about:blank")
	}
}

func TestTokenOverTheWire(t *testing.T) {
	n := dialecttest.New(t)
	before := time.Now()
	got := decode[api.CreatedToken](t, send(t, n, "POST /v1/tokens", dialecttest.Root,
		`{"name":"ci","scopes":["purge_select"],"services":["shop"],"expires_in":"1h"}`))
	if left := got.Expires.Sub(before); left < time.Hour || left > 2*time.Hour {
		t.Errorf("it expires in %v", left)
	}
	decode[api.Receipt](t, send(t, n, "POST /v1/purges", got.Value, `{"service":"shop","keys":["k"]}`))
	list := decode[api.Tokens](t, send(t, n, "GET /v1/tokens", dialecttest.Root, "")).Tokens
	last := list[len(list)-1]
	if last.ID != got.ID || last.Source != api.TokenCreated || last.LastUsed == nil || list[0].Source != api.TokenConfigured || list[0].ID != "" {
		t.Errorf("listed %+v", list)
	}
	if text := fmt.Sprint(send(t, n, "GET /v1/tokens", dialecttest.Root, "")); strings.Contains(text, got.Value) {
		t.Error("the list holds the secret")
	}
	if gone := send(t, n, "DELETE /v1/tokens/"+got.ID, dialecttest.Root, ""); gone.Status != 204 || gone.Body != "" {
		t.Errorf("revoking answered %d %s", gone.Status, gone.Body)
	}
	check(t, send(t, n, "POST /v1/purges", got.Value, `{"service":"shop","keys":["k"]}`), 401, "unauthenticated")
	check(t, send(t, n, "POST /v1/purges", dialecttest.Expired, `{"service":"shop","keys":["k"]}`), 401, "token-expired")

	n.From = dialecttest.Socket
	if answer := send(t, n, "POST /v1/tokens", "", `{"name":"boot","scopes":["global"]}`); answer.Status != 201 {
		t.Errorf("over the socket: %d %s", answer.Status, answer.Body)
	}
}

func FuzzRequestFields(f *testing.F) {
	for _, seed := range []string{"Accept: text/html", "A:", ":", "a b:c", "X:\r\nY:z", "Cookie:a=b; c=\tд"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		fields, err := requestFields([]string{line})
		if err != nil {
			return
		}
		if len(fields) != 1 || !field.ValidName(fields[0].Name) || !field.ValidValue(fields[0].Value) {
			t.Errorf("%q became %+v", line, fields)
		}
	})
}
