package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

// node answers every request with one answer and remembers the last request.
type node struct {
	status      int
	contentType string
	answer      string

	request string // method and target
	body    string
	header  http.Header
}

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	n.request, n.body, n.header = r.Method+" "+r.RequestURI, string(body), r.Header
	w.Header().Set("Content-Type", n.contentType)
	w.WriteHeader(n.status)
	io.WriteString(w, n.answer)
}

func start(t *testing.T, n *node, o client.Options) *client.Client {
	t.Helper()
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

const receiptJSON = `{"id":"01JQ","service":"shop","selectors":[{"kind":"key","value":"a"}],"mode":"soft","ttl":"30s",
	"actor":"deploy","dialect":"native","time":"2025-01-02T03:04:05.000000006Z","applied_in":"1.5ms","position":7,"count":0,"future":1}`

func receipt() *api.Receipt {
	ttl, count := api.Duration(30*time.Second), 0
	return &api.Receipt{
		ID: "01JQ", Service: "shop", Selectors: []api.Selector{{Kind: api.ByKey, Value: "a"}}, Mode: api.Soft, TTL: &ttl,
		Actor: "deploy", Dialect: "native", Time: time.Date(2025, 1, 2, 3, 4, 5, 6, time.UTC),
		AppliedIn: api.Duration(1500 * time.Microsecond), Position: 7, Count: &count,
	}
}

func TestPurge(t *testing.T) {
	n := &node{status: 200, contentType: "application/json", answer: receiptJSON}
	c := start(t, n, client.Options{Token: "secret"})
	ttl := api.Duration(90 * time.Second)
	got, err := c.Purge(t.Context(), api.Purge{Service: "shop", Keys: []string{"a"}, Mode: api.Soft, TTL: &ttl})
	if err != nil || !reflect.DeepEqual(got, receipt()) {
		t.Errorf("got %+v, %v", got, err)
	}
	if want := `{"service":"shop","keys":["a"],"mode":"soft","ttl":"1m30s"}`; n.body != want {
		t.Errorf("body %s, want %s", n.body, want)
	}
	if n.request != "POST /v1/purges" || n.header.Get("Content-Type") != "application/json" || n.header.Get("Authorization") != "Bearer secret" {
		t.Errorf("request %s %v", n.request, n.header)
	}
}

func TestCalls(t *testing.T) {
	for name, test := range map[string]struct {
		answer, request string
		call            func(ctx context.Context, c *client.Client) (any, error)
		want            any
	}{
		"receipts": {`{"purges":[` + receiptJSON + `]}`, "GET /v1/purges",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Receipts(ctx, 0) }, []api.Receipt{*receipt()}},
		"some receipts": {`{"purges":[]}`, "GET /v1/purges?limit=3",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Receipts(ctx, 3) }, []api.Receipt{}},
		"receipt": {receiptJSON, "GET /v1/purges/a%2Fb%3F",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Receipt(ctx, "a/b?") }, receipt()},
		"revert": {`{"id":"x","outcome":"undone","actor":"a"}`, "POST /v1/purges/x/revert",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Revert(ctx, "x") },
			&api.Revert{ID: "x", Outcome: api.RevertDone, Actor: "a"}},
		"status": {`{"node":"n","uptime":"1h0m0s"}`, "GET /v1/status",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Status(ctx) },
			&api.Status{Node: "n", Uptime: api.Duration(time.Hour)}},
		"services": {`{"services":[{"id":"shop"}]}`, "GET /v1/services",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Services(ctx) }, []api.ServiceStatus{{ID: "shop"}}},
		"explain": {`{"url":"u","outcome":"miss"}`, "GET /v1/explain?header=A%3A+b&header=C%3Ad&url=https%3A%2F%2Fh%2F%3Fa%26b",
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.Explain(ctx, "https://h/?a&b", "A: b", "C:d")
			}, &api.Explanation{URL: "u", Outcome: api.WouldMiss}},
		"top": {`{"node":"n"}`, "GET /v1/top?limit=5",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Top(ctx, 5) }, &api.Top{Node: "n"}},
		"tokens": {`{"tokens":[{"name":"ci"}]}`, "GET /v1/tokens",
			func(ctx context.Context, c *client.Client) (any, error) { return c.Tokens(ctx) }, []api.Token{{Name: "ci"}}},
		"create a token": {`{"name":"ci","value":"rsc_x"}`, "POST /v1/tokens",
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.CreateToken(ctx, api.NewToken{Name: "ci"})
			}, &api.CreatedToken{Token: api.Token{Name: "ci"}, Value: "rsc_x"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &node{status: 200, contentType: "application/json", answer: test.answer}
			got, err := test.call(t.Context(), start(t, n, client.Options{}))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
			if n.request != test.request {
				t.Errorf("request %s, want %s", n.request, test.request)
			}
			if _, ok := n.header["Authorization"]; ok {
				t.Error("sent a token that it was not given")
			}
		})
	}
}

func TestProblems(t *testing.T) {
	for name, test := range map[string]struct {
		node node
		want string
	}{
		"problem": {node{status: 403, contentType: "application/problem+json", answer: `{"type":"about:blank","title":"Forbidden","status":1,"detail":"no scope","next":"ask for purge_all"}`},
			"no scope; ask for purge_all"},
		"not the API":      {node{status: 404, contentType: "text/html", answer: "<h1>not found"}, "answered with status 404, not as the API does"},
		"redirect":         {node{status: 302, contentType: "text/html", answer: ""}, "answered with status 302"},
		"a broken problem": {node{status: 500, contentType: "application/problem+json", answer: "{"}, "answered with status 500"},
		"not JSON":         {node{status: 200, contentType: "text/html", answer: "hello"}, "something else than the API's JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := start(t, &test.node, client.Options{}).Status(t.Context())
			var p *api.Problem
			if !errors.As(err, &p) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if p.Status != test.node.status || p.Title == "" {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	const nobody = "127.0.0.1:1" // a port that a closed server had may be another's by now
	c, err := client.New("http://"+nobody, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); !errors.Is(err, client.ErrUnreachable) || strings.Count(err.Error(), nobody) > 2 {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&node{status: 200, contentType: "application/json", answer: `{"node":"n"}`})
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	defer server.Close()
	c, err := client.New("unix:"+path, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if status, err := c.Status(t.Context()); err != nil || status.Node != "n" {
		t.Errorf("got %v, %v", status, err)
	}
}

func TestBadAddresses(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:8081", "ftp://host", "http://", "unix:", "http://host/v1", "http://user@host", "http://ho st"} {
		if _, err := client.New(address, client.Options{}); !errors.Is(err, client.ErrBadAddress) {
			t.Errorf("New(%q): %v", address, err)
		}
	}
}
