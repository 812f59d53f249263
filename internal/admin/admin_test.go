package admin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/dialect/fastly"
	"github.com/rescind-edge/rescind/internal/dialect/native"
	"github.com/rescind-edge/rescind/internal/purge"
)

// listener returns the admin listener's whole handler for a node.
func listener(n *dialecttest.Node, ready error) http.Handler {
	door := dialect.Door{Control: n.Control, Client: Client}
	return New(Config{
		Ready:    func() error { return ready },
		Native:   native.New(native.Config{Door: door, Status: func() api.Status { return api.Status{Node: "n1"} }}),
		Fallback: fastly.API(door),
		Metrics:  Guard(door, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "up 1\n") })),
	})
}

func TestWhoMayReadMetrics(t *testing.T) {
	for token, status := range map[string]int{
		"": 200, dialecttest.Root: 200, dialecttest.Watcher: 200, dialecttest.Deploy: 403, dialecttest.Wrong: 401,
	} {
		got := dialecttest.Send(t, listener(dialecttest.New(t), nil), "GET /metrics HTTP/1.1\nHost: a\nFastly-Key: "+token+"\n\n")
		if got.Status != status || (status == 200) != (got.Body == "up 1\n") {
			t.Errorf("%q: %d %s, want %d", token, got.Status, got.Body, status)
		}
	}
	got := dialecttest.Send(t, listener(dialecttest.New(t), nil), "GET /metrics HTTP/1.1\nHost: a\nX-Forwarded-For: 127.0.0.1\n\n")
	if got.Status != 401 || got.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("passed on: %d", got.Status)
	}
}

func TestRoutes(t *testing.T) {
	for _, tc := range []struct {
		line   string
		ready  error
		status int
		body   string
	}{
		{"GET /healthz", errors.New("starting"), 200, "ok\n"},
		{"GET /readyz", nil, 200, "ready\n"},
		{"GET /readyz", errors.New("starting"), 503, "not ready: starting\n"},
		{"GET /v1/status", nil, 200, `{"node":"n1"`},
		{"GET /v1/nothing", nil, 404, `"title":"Not Found"`},
		{"GET /service/shop", nil, 200, `{"id":"shop"`},
		{"GET /", nil, 404, `{"msg":"Record not found"`},
		{"POST /healthz", nil, 404, `{"msg":`},
		{"POST /metrics", nil, 404, `{"msg":`},
		{"GET /metrics", nil, 200, "up 1\n"},
	} {
		got := dialecttest.Send(t, listener(dialecttest.New(t), tc.ready), tc.line+" HTTP/1.1\nHost: a\nContent-Length: 0\n\n")
		if got.Status != tc.status || !strings.Contains(got.Body, tc.body) {
			t.Errorf("%s: %d %s; want %d %s", tc.line, got.Status, got.Body, tc.status, tc.body)
		}
	}
}

// TestPurgeOfPathsOfOurOwn purges pages of a site that happen to have the paths
// of this listener.
func TestPurgeOfPathsOfOurOwn(t *testing.T) {
	for _, path := range []string{"/healthz", "/v1/status", "/service/shop"} {
		n := dialecttest.New(t)
		got := dialecttest.Send(t, listener(n, nil), "PURGE "+path+" HTTP/1.1\nHost: www.example.com\n\n")
		if got.Status != 200 || n.State(t, "shop", "//www.example.com"+path) != purge.Withdrawn {
			t.Errorf("PURGE %s: %d %s", path, got.Status, got.Body)
		}
	}
}

// TestLoopbackGrantsNothingToOthers has requests that come from the node's own
// host and speak for somebody else.
func TestLoopbackGrantsNothingToOthers(t *testing.T) {
	for line, status := range map[string]int{
		"":                                          200,
		"Sec-Fetch-Site: none\n":                    200,
		"X-Forwarded-For: 127.0.0.1\n":              401,
		"Forwarded: for=127.0.0.1\n":                401,
		"X-Forwarded-For: \n":                       401,
		"Origin: https://evil.example\n":            401,
		"Sec-Fetch-Site: cross-site\n":              401,
		"Origin: null\nFastly-Key: deploy-secret\n": 200,
	} {
		n := dialecttest.New(t)
		got := dialecttest.Send(t, listener(n, nil), "POST /service/shop/purge_all HTTP/1.1\nHost: a\n"+line+"Content-Length: 0\n\n")
		if got.Status != status {
			t.Errorf("%q: answered %d %s, want %d", line, got.Status, got.Body, status)
		}
	}
}

func TestUnixSocketIsLocal(t *testing.T) {
	n := dialecttest.New(t)
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: listener(n, nil)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", l.Addr().String())
		},
	}}
	resp, err := client.Post("http://node/service/shop/purge_all", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("answered %d", resp.StatusCode)
	}
	server.Close()
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

func TestClientWithoutAnAddressIsNobody(t *testing.T) {
	r, err := http.NewRequest("GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, remote := range []string{"", "pipe", "@"} {
		r.RemoteAddr = remote
		if got := Client(r); got != (control.Credentials{}) {
			t.Errorf("%q: %+v", remote, got)
		}
	}
}
