package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/rescind-edge/rescind/internal/leak"
)

// memberlist's Shutdown does not wait for a probe that is under way, which ends by
// itself within seconds.
func TestMain(m *testing.M) {
	leak.Main(m, goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).probe"))
}

// node is a running App in front of an origin that counts.
type node struct {
	t      *testing.T
	app    *App
	file   string
	origin *httptest.Server
	asked  atomic.Int64
	client *http.Client
}

func startNode(t *testing.T, extra string) *node {
	n := &node{t: t, file: filepath.Join(t.TempDir(), "rescind.yaml"), client: &http.Client{Transport: &http.Transport{}}}
	n.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.asked.Add(1)
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Surrogate-Key", "k")
		w.Header().Set("Vary", "Accept-Language")
		fmt.Fprintf(w, "%s %d", r.Header.Get("Accept-Language"), n.asked.Load())
	}))
	n.write(n.config("all", extra))
	app, err := New(Options{ConfigPath: n.file, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	n.app = app
	t.Cleanup(func() {
		n.client.CloseIdleConnections()
		if err := app.Stop(); err != nil {
			t.Error(err)
		}
		n.origin.Close()
	})
	return n
}

func (n *node) config(query, extra string) string {
	return fmt.Sprintf(`
node: {name: n1}
listen: {http: "127.0.0.1:0", admin: "127.0.0.1:0"}
drain_timeout: 20s
services:
  - id: shop
    domains: [shop.example]
    origins: [{url: "%s"}]
    cache: {query: %s}
%s
`, n.origin.URL, query, extra)
}

func (n *node) write(text string) {
	if err := os.WriteFile(n.file, []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// do sends a request and returns status, X-Cache and body.
func (n *node) do(method, host, path, lang string) (*http.Response, string) {
	n.t.Helper()
	base := "http://" + n.app.Addrs()[0].String()
	if host == "" {
		base = "http://" + n.app.AdminAddr().String()
	}
	r, err := http.NewRequest(method, base+path, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	r.Header.Set("Accept-Language", lang)
	resp, err := n.client.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return resp, string(body)
}

func (n *node) want(path, lang, cache, body string) {
	n.t.Helper()
	resp, got := n.do("GET", "shop.example", path, lang)
	if resp.StatusCode != 200 || resp.Header.Get("X-Cache") != cache || got != body {
		n.t.Errorf("GET %s: %d %s %q, want %s %q", path, resp.StatusCode, resp.Header.Get("X-Cache"), got, cache, body)
	}
}

func TestPurgeURLCountsItsVariants(t *testing.T) {
	n := startNode(t, "")
	n.want("/a", "en", "MISS", "en 1")
	n.want("/a", "de", "MISS", "de 2")
	n.want("/a", "en", "HIT", "en 1")
	resp, body := n.do("PURGE", "shop.example", "/a", "")
	if resp.StatusCode != 200 || resp.Header.Get("Rescind-Purged") != "2" || !strings.Contains(body, `"status":"ok"`) {
		t.Errorf("PURGE: %d %v %s", resp.StatusCode, resp.Header, body)
	}
	if resp, _ := n.do("PURGE", "shop.example", "/a", ""); resp.Header.Get("Rescind-Purged") != "0" {
		t.Errorf("a second PURGE touched %s", resp.Header.Get("Rescind-Purged"))
	}
	n.want("/a", "en", "MISS", "en 3")
}

func TestReloadKeepsObjects(t *testing.T) {
	n := startNode(t, "")
	n.want("/a?x", "en", "MISS", "en 1")
	n.write(n.config("all", "    forwarded: true\n"))
	if err := n.app.Reload(); err != nil {
		t.Fatal(err)
	}
	n.want("/a?x", "en", "HIT", "en 1")

	n.write("services: [{id: shop}]\nnonsense: 1\n")
	err := n.app.Reload()
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("a wrong file was taken up: %v", err)
	}
	n.want("/a?x", "en", "HIT", "en 1")

	n.write(n.config("sorted", "")) // URLs are told apart by another rule from now on
	if err := n.app.Reload(); err != nil {
		t.Fatal(err)
	}
	n.want("/a?x", "en", "MISS", "en 2")
}

func TestReloadChangesServices(t *testing.T) {
	n := startNode(t, "")
	if resp, body := n.do("GET", "other.example", "/", ""); resp.StatusCode != 421 || !strings.Contains(body, "other.example") {
		t.Errorf("unknown host: %d %s", resp.StatusCode, body)
	}
	n.write(n.config("all", fmt.Sprintf("  - {id: other, domains: [other.example], origins: [{url: %q}]}\n", n.origin.URL)))
	if err := n.app.Reload(); err != nil {
		t.Fatal(err)
	}
	if resp, _ := n.do("GET", "other.example", "/", ""); resp.StatusCode != 200 {
		t.Errorf("the new service: %d", resp.StatusCode)
	}
	resp, _ := n.do("POST", "", "/service/other/purge_all", "")
	if resp.StatusCode != 200 {
		t.Errorf("purging the new service: %d", resp.StatusCode)
	}
}

func TestStatusAndReadiness(t *testing.T) {
	n := startNode(t, "")
	n.want("/a", "en", "MISS", "en 1")
	n.want("/a", "en", "HIT", "en 1")
	st := n.app.Status()
	if st.Node != "n1" || st.Traffic.Requests != 2 || st.Traffic.Hits != 1 || st.Traffic.Misses != 1 ||
		st.Traffic.OriginRequests != 1 || st.Store.Objects != 1 || len(st.Services) != 1 || !st.Services[0].Origins[0].Healthy {
		t.Errorf("%+v", st)
	}
	if resp, body := n.do("GET", "", "/readyz", ""); resp.StatusCode != 200 {
		t.Errorf("/readyz: %d %s", resp.StatusCode, body)
	}
}

func TestStartFailsWhole(t *testing.T) {
	n := startNode(t, "")
	taken := n.app.AdminAddr().String()
	file := filepath.Join(t.TempDir(), "second.yaml")
	text := strings.Replace(n.config("all", ""), `admin: "127.0.0.1:0"`, `admin: "`+taken+`"`, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{ConfigPath: file}); err == nil || !strings.Contains(err.Error(), "listen.admin") {
		t.Errorf("started on a taken admin address: %v", err)
	}
	site := n.app.Addrs()[0].String()
	text = strings.Replace(n.config("all", ""), `http: "127.0.0.1:0"`, `http: "`+site+`"`, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := New(Options{ConfigPath: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "listen.http") {
		t.Errorf("started on a taken site address: %v", err)
	}
}
