package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
	"github.com/rescind-edge/rescind/internal/ports"
)

const rootToken = "root-secret-of-the-tests"

// group is a cluster of nodes, each of a POP of its own, before one origin.
type group struct {
	t      *testing.T
	origin *httptest.Server
	ports  []int
	nodes  []*one
}

// one is a node that can be stopped and started again.
type one struct {
	g      *group
	i      int
	file   string
	secret string
	role   string
	ram    bool   // without a data directory
	extra  string // lines of cluster
	top    string // a line of the file
	app    *App
	admin  *client.Client
}

// startGroup starts n nodes and waits until each is ready and hears all.
func startGroup(t *testing.T, n int) *group {
	t.Helper()
	g := newGroup(t, n)
	for _, o := range g.nodes {
		o.start()
	}
	g.settle(n)
	return g
}

// newGroup returns n nodes that are not started.
func newGroup(t *testing.T, n int) *group {
	t.Helper()
	g := &group{t: t, ports: ports.For(t, n)}
	g.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Surrogate-Key", "k")
		io.WriteString(w, "page")
	}))
	t.Cleanup(g.origin.Close)
	for i := range n {
		o := &one{g: g, i: i, file: filepath.Join(t.TempDir(), "rescind.yaml"), secret: `["0123456789abcdef-one"]`}
		g.nodes = append(g.nodes, o)
	}
	t.Cleanup(func() {
		for _, o := range g.nodes {
			o.stop()
		}
	})
	return g
}

func (o *one) name() string { return fmt.Sprintf("n%d", o.i+1) }

func (o *one) write() {
	var join []string
	for _, port := range o.g.ports {
		join = append(join, fmt.Sprintf(`"127.0.0.1:%d"`, port))
	}
	site := fmt.Sprintf(`
storage: {memory: 16MiB}
services:
  - {id: shop, domains: [shop.example], origins: [{url: %q}]}
`, o.g.origin.URL)
	listen := `http: "127.0.0.1:0", `
	if o.role == "witness" {
		site, listen = "", ""
	}
	dir := ", data_dir: data"
	if o.ram {
		dir = ""
	}
	text := fmt.Sprintf(`
node: {name: %s, pop: pop%d%s}
listen: {%sadmin: "127.0.0.1:0"}
drain_timeout: 20s
cluster:
  bind: "127.0.0.1:%d"
  join: [%s]
  secret: %s
  role: %s
  isolation: {after: 5s}
%stokens: [{name: root, value: %s, scopes: [global]}]
%s
%s`, o.name(), o.i+1, dir, listen, o.g.ports[o.i], strings.Join(join, ", "), o.secret, orNode(o.role), o.extra, rootToken, o.top, site)
	if err := os.WriteFile(o.file, []byte(text), 0o600); err != nil {
		o.g.t.Fatal(err)
	}
}

func orNode(role string) string {
	if role == "" {
		return "node"
	}
	return role
}

func (o *one) start() {
	o.g.t.Helper()
	o.write()
	app, err := New(Options{ConfigPath: o.file, Version: "test"})
	if err != nil {
		o.g.t.Fatal(err)
	}
	if err := app.Start(); err != nil {
		o.g.t.Fatal(err)
	}
	o.app = app
	o.admin = o.client(rootToken)
}

func (o *one) client(token string) *client.Client {
	c, err := client.New("http://"+o.app.AdminAddr().String(), client.Options{Token: token, Transport: &http.Transport{DisableKeepAlives: true}})
	if err != nil {
		o.g.t.Fatal(err)
	}
	return c
}

func (o *one) stop() {
	if o.app == nil {
		return
	}
	if err := o.app.Stop(); err != nil {
		o.g.t.Error(err)
	}
	o.app = nil
}

// within waits until something is so. Nodes talk over real sockets here, so it is
// asked again and again.
func within(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it did not come to this: %s", what)
		}
	}
}

// settle waits until all running nodes are ready and have n members on the
// roster, and those that run alive.
func (g *group) settle(n int) {
	g.t.Helper()
	running := 0
	for _, o := range g.nodes {
		if o.app != nil {
			running++
		}
	}
	within(g.t, fmt.Sprintf("%d of %d members are ready", running, n), func() bool {
		for _, o := range g.nodes {
			if o.app == nil {
				continue
			}
			c, err := o.admin.Members(g.t.Context())
			if err != nil {
				g.t.Fatal(err)
			}
			alive := 0
			for _, m := range c.Members {
				if m.State == api.MemberAlive || m.State == api.MemberSelf {
					alive++
				}
			}
			if c.State != api.StateReady || c.Roster != n || alive != running {
				return false
			}
		}
		return true
	})
}

func (o *one) get(t *testing.T) string {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+o.app.Addrs()[0].String()+"/page", nil)
	r.Host, r.Close = "shop.example", true
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.Header.Get("X-Cache")
}

func (o *one) metrics(t *testing.T) string {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+o.app.AdminAddr().String()+"/metrics", nil)
	r.Header.Set("Authorization", "Bearer "+rootToken)
	r.Close = true
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var purgeK = api.Purge{Service: "shop", Keys: []string{"k"}}

func member(c *api.Confirmations, name string) (m api.Confirmation) {
	for _, m = range c.Members {
		if m.Member == name {
			return m
		}
	}
	return api.Confirmation{}
}
