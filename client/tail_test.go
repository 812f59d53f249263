package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

func newClient(t *testing.T, h http.Handler, o client.Options) *client.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestTail(t *testing.T) {
	n := &node{status: 200, contentType: api.LinesContentType, answer: "{\"n\":1}\n\n{\"missed\":3}\n"}
	var got []string
	for line, err := range start(t, n, client.Options{Token: "s"}).Tail(t.Context(), "host=a b") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(line))
	}
	if strings.Join(got, " ") != `{"n":1} {"missed":3}` || n.request != "GET /v1/log?filter=host%3Da+b" || n.header.Get("Authorization") != "Bearer s" {
		t.Errorf("read %q for %s", got, n.request)
	}
}

// transport answers without a connection.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTailHasNoTimeout has a client whose calls may take a second, which the
// stream may outlive.
func TestTailHasNoTimeout(t *testing.T) {
	deadlines := map[string]bool{}
	c, err := client.New("http://node", client.Options{Timeout: time.Second, Transport: transport(func(r *http.Request) (*http.Response, error) {
		_, deadlines[r.URL.Path] = r.Context().Deadline()
		return nil, errors.New("no answer")
	})})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range c.Tail(t.Context(), "") {
		if !errors.Is(err, client.ErrUnreachable) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := c.Status(t.Context()); err == nil {
		t.Error("an answer from nowhere")
	}
	if deadlines[api.PathLog] || !deadlines[api.PathStatus] {
		t.Errorf("deadlines %v", deadlines)
	}
}

func TestTailEndsWithItsContext(t *testing.T) {
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "{}")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}), client.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range c.Tail(ctx, "") {
		if err == nil {
			cancel()
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	}
	if ctx.Err() == nil {
		t.Error("ended without a line")
	}
}

func TestTailFails(t *testing.T) {
	refused := &node{status: 400, contentType: api.ProblemContentType, answer: `{"title":"Bad filter","detail":"a number is missing"}`}
	for _, err := range start(t, refused, client.Options{}).Tail(t.Context(), "x") {
		var p *api.Problem
		if !errors.As(err, &p) || p.Status != 400 || p.Detail != "a number is missing" {
			t.Errorf("got %v", err)
		}
	}
	long := &node{status: 200, contentType: api.LinesContentType, answer: strings.Repeat("x", 2<<20)}
	for line, err := range start(t, long, client.Options{}).Tail(t.Context(), "") {
		if err == nil {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	for range start(t, &node{status: 200, answer: "{}\n{}\n"}, client.Options{}).Tail(t.Context(), "") {
		break // who has enough may go
	}
}

func TestPurgeOnce(t *testing.T) {
	keys := []string{}
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key := r.Header.Get(api.HeaderIdempotencyKey); len(keys) > 0 && keys[0] == key {
			w.Header().Set(api.HeaderIdempotentReplay, "true")
		} else {
			keys = append(keys, key)
		}
		fmt.Fprint(w, receiptJSON)
	}), client.Options{})
	for _, want := range []bool{false, true} {
		r, replayed, err := c.PurgeOnce(t.Context(), "build-7", api.Purge{Keys: []string{"a"}})
		if err != nil || replayed != want || r.ID != "01JQ" {
			t.Errorf("%+v, %v, %v", r, replayed, err)
		}
	}
	if len(keys) != 1 || keys[0] != "build-7" {
		t.Errorf("sent %q", keys)
	}
}

func TestRevokeToken(t *testing.T) {
	n := &node{status: 204}
	if err := start(t, n, client.Options{}).RevokeToken(t.Context(), "a/b"); err != nil || n.request != "DELETE /v1/tokens/a%2Fb" {
		t.Errorf("%s: %v", n.request, err)
	}
	n = &node{status: 404, contentType: api.ProblemContentType, answer: `{"title":"Unknown token"}`}
	if err := start(t, n, client.Options{}).RevokeToken(t.Context(), "x"); err == nil || err.Error() != "Unknown token" {
		t.Error(err)
	}
}
