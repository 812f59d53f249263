package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
	"github.com/rescind-edge/rescind/internal/ports"
	"github.com/rescind-edge/rescind/internal/shield"
	"github.com/rescind-edge/rescind/internal/shield/catch"
)

// tier is a cluster with a shield POP and edges in other POPs, before one origin.
type tier struct {
	t      *testing.T
	origin *httptest.Server
	nodes  []*tierNode // two shields, then edges
	secret string

	mu      sync.Mutex
	asked   []*http.Request
	answer  http.HandlerFunc
	longest time.Duration // that a request took
}

type tierNode struct {
	*tier
	name, pop string
	port      int
	shieldAt  string
	dir       string
	app       *App
	admin     *client.Client
	extra     string // of the service
}

func startTier(t *testing.T, edges int, extra string) *tier {
	t.Helper()
	g := &tier{t: t, secret: `["0123456789abcdef-one"]`}
	g.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.asked = append(g.asked, r)
		answer := g.answer
		g.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(g.origin.Close)
	drawn := ports.For(t, 2*(edges+2))
	for i := range edges + 2 {
		n := &tierNode{tier: g, name: fmt.Sprintf("s%d", i), pop: "fra1", port: drawn[2*i], dir: t.TempDir(), extra: extra}
		if i >= 2 {
			n.name, n.pop = fmt.Sprintf("e%d", i-2), fmt.Sprintf("pop%d", i)
		}
		n.shieldAt = fmt.Sprintf("127.0.0.1:%d", drawn[2*i+1])
		g.nodes = append(g.nodes, n)
	}
	for _, n := range g.nodes {
		n.start()
	}
	t.Cleanup(func() {
		for _, n := range g.nodes {
			n.stop()
		}
	})
	g.settle()
	g.warm()
	return g
}

// warm makes requests until each edge has been confirmed by both shields that they
// know what it knows.
func (g *tier) warm() {
	g.t.Helper()
	g.page("warm")
	n := 0
	within(g.t, "shields know what edges know", func() bool {
		done := true
		for _, e := range g.nodes[2:] {
			for _, s := range e.app.mu.services["shop"].parent.States() {
				done = done && s.Confirmed
			}
			if n++; !done {
				e.do("GET", fmt.Sprintf("/warm/%d", n))
			}
		}
		return done
	})
}

func (g *tier) edge(i int) *tierNode   { return g.nodes[2+i] }
func (g *tier) shield(i int) *tierNode { return g.nodes[i] }

// settle waits until all that run are ready and see each other.
func (g *tier) settle() {
	g.t.Helper()
	running := 0
	for _, n := range g.nodes {
		if n.app != nil {
			running++
		}
	}
	within(g.t, "all are ready and see each other", func() bool {
		for _, n := range g.nodes {
			if n.app == nil {
				continue
			}
			alive := 0
			for _, m := range n.app.cluster.Members() {
				if s := m.State.String(); s == "alive" || s == "self" {
					alive++
				}
			}
			if alive != running || !n.app.cluster.Ready() {
				return false
			}
		}
		return true
	})
}

func (n *tierNode) write() string {
	var join []string
	for _, o := range n.nodes {
		join = append(join, fmt.Sprintf(`"127.0.0.1:%d"`, o.port))
	}
	text := fmt.Sprintf(`
node: {name: %s, pop: %s}
listen: {http: "127.0.0.1:0", admin: "127.0.0.1:0", shield: %q}
drain_timeout: 20s
storage: {memory: 16MiB}
cluster: {bind: "127.0.0.1:%d", join: [%s], secret: %s, isolation: {after: 5s}}
tokens: [{name: root, value: %s, scopes: [global]}]
access_log: [{to: "file:%s"}]
services:
  - id: shop
    domains: [shop.example]
    origins: [{url: %q}]
    shield: {pop: fra1}
%s`, n.name, n.pop, n.shieldAt, n.port, strings.Join(join, ", "), n.secret, rootToken, filepath.Join(n.dir, "access.log"), n.origin.URL, n.extra)
	file := filepath.Join(n.dir, "rescind.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return file
}

func (n *tierNode) start() {
	n.t.Helper()
	app, err := New(Options{ConfigPath: n.write(), Version: "test"})
	if err == nil {
		err = app.Start()
	}
	if err != nil {
		n.t.Fatal(err)
	}
	n.app = app
	n.admin, err = client.New("http://"+app.AdminAddr().String(), client.Options{Token: rootToken, Transport: &http.Transport{DisableKeepAlives: true}})
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *tierNode) stop() {
	if n.app == nil {
		return
	}
	if err := n.app.Stop(); err != nil {
		n.t.Log(err)
	}
	n.app = nil
}

// says sets what the origin answers from now on, and forgets what it was asked.
func (g *tier) says(answer http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answer, g.asked = answer, nil
}

// page makes the origin answer with a text and fields.
func (g *tier) page(text string, fields ...string) {
	g.says(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(fields); i += 2 {
			w.Header().Add(fields[i], fields[i+1])
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	})
}

func (g *tier) requests() []*http.Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

// got is an answer.
type got struct {
	*http.Response
	body string
}

func (n *tierNode) do(method, path string, fields ...string) got {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer n.took(time.Now())
	r, _ := http.NewRequestWithContext(ctx, method, "http://"+n.app.Addrs()[0].String()+path, nil)
	r.Host, r.Close = "shop.example", true
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		n.t.Fatalf("%s %s at %s: %v", method, path, n.name, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatalf("%s %s at %s: %v", method, path, n.name, err)
	}
	return got{resp, string(body)}
}

func (n *tierNode) purge(p api.Purge) {
	n.t.Helper()
	p.Service = "shop"
	if _, err := n.admin.Purge(n.t.Context(), p); err != nil {
		n.t.Fatalf("purge at %s: %v", n.name, err)
	}
}

// took takes note of how long a request took.
func (g *tier) took(began time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.longest = max(g.longest, time.Since(began))
}

// slowest returns the longest time that a request took since it was asked before.
func (g *tier) slowest() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.longest
	g.longest = 0
	return d
}

// detours is how many requests did not find what they came for at a shield, because
// it did not answer in time, or did not know in time what the edge knew.
func (g *tier) detours() (n uint64) {
	for _, e := range g.nodes[2:] {
		s := e.app.mu.shielded["shop"].Stats()
		n += s.Failures + s.Answers[shield.Behind]
		for _, past := range s.Direct {
			n += past
		}
	}
	return n
}

// undisturbed checks something that holds where edges and shields reach each other
// in time: what a busy machine disturbed is checked again, with another path. The
// check returns what is wrong.
func (g *tier) undisturbed(t *testing.T, check func(path string) (wrong string)) {
	t.Helper()
	wrong, rounds, excused := "", 0, false
	within(t, "edges and shields reach each other in time", func() bool {
		before := g.detours()
		g.slowest()
		rounds++
		wrong = check(fmt.Sprintf("/%s/%d", strings.ReplaceAll(t.Name(), "/", "-"), rounds))
		// After one that was slow, shields rest for a while.
		excused = excused || g.slowest() >= catch.Patience
		if wrong == "" || !excused || g.detours() == before {
			return true
		}
		t.Logf("disturbed: %s", wrong)
		return false
	})
	if wrong != "" {
		t.Error(wrong)
	}
}

func (n *tierNode) through(how string) uint64 {
	for h, count := range n.app.mu.shielded["shop"].Stats().Answers {
		if string(h) == how {
			return count
		}
	}
	return 0
}

func TestMissesOfAllEdgesReachTheOriginOnce(t *testing.T) {
	g := startTier(t, 3, "")
	once := ""
	g.undisturbed(t, func(path string) string {
		once = path
		return g.askedOnce(path)
	})
	if t.Failed() {
		return
	}
	asked := g.requests()[0]
	if asked.Header.Get("Rescind-Edge") != "" {
		t.Error("the origin is told what edges tell shields")
	}
	if via := asked.Header.Get("Via"); strings.Count(via, "rescind-") != 2 {
		t.Errorf("Via %q, want both nodes", via)
	}
	if chain := asked.Header.Get("X-Forwarded-For"); chain != "127.0.0.1, 127.0.0.1" || asked.Header.Get("X-Forwarded-Proto") != "http" {
		t.Errorf("X-Forwarded-For %q, -Proto %q", chain, asked.Header.Get("X-Forwarded-Proto"))
	}
	r := g.edge(0).do("GET", once)
	if cache := r.Header.Get("X-Cache"); !strings.HasSuffix(cache, ", HIT") {
		t.Errorf("X-Cache %q", cache)
	}
	if status := strings.Join(r.Header.Values("Cache-Status"), ", "); strings.Count(status, "rescind-") != 2 || !strings.Contains(status, "rescind-e0; hit") {
		t.Errorf("Cache-Status %q", status)
	}
	g.edge(1).purge(api.Purge{Keys: []string{"a"}}) // the key has come through the shield
	g.page("changed", "Cache-Control", "max-age=600", "Surrogate-Key", "a b")
	if r := g.edge(1).do("GET", once); r.body != "changed" {
		t.Errorf("after a purge by key %q", r.body)
	}
}

// askedOnce has all edges ask for a page at once, and says so where the origin is
// asked more than once.
func (g *tier) askedOnce(path string) (wrong string) {
	g.page("hello", "Cache-Control", "max-age=600", "Surrogate-Key", "a b", "Surrogate-Control", "max-age=900")
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			if r := g.edge(i%3).do("GET", path); r.body != "hello" || r.Header.Get("Surrogate-Key") != "" || r.Header.Get("Surrogate-Control") != "" || r.Header.Get("Rescind-Shield") != "" {
				g.t.Errorf("%q %v", r.body, r.Header)
			}
		})
	}
	all.Wait()
	if n := len(g.requests()); n != 1 {
		return fmt.Sprintf("the origin was asked %d times", n)
	}
	return ""
}

// TestAShieldsLogNamesEdges has the access logs of shields tell what an edge asked
// from what clients did.
func TestAShieldsLogNamesEdges(t *testing.T) {
	g := startTier(t, 1, "")
	g.page("hello", "Cache-Control", "max-age=600")
	g.edge(0).do("GET", "/logged")
	g.shield(0).do("GET", "/logged")
	g.shield(1).do("GET", "/logged")
	var lines []string
	within(t, "all requests are logged", func() bool {
		lines = nil
		for _, n := range g.nodes {
			log, err := os.ReadFile(filepath.Join(n.dir, "access.log"))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(log)) {
				if strings.Contains(line, "/logged") {
					lines = append(lines, line)
				}
			}
		}
		return len(lines) == 4
	})
	named := 0
	for _, line := range lines {
		switch {
		case strings.Contains(line, `"edge":"e0","edge_pop":"pop2"`) && strings.Contains(line, `"node":"s`):
			named++
		case strings.Contains(line, `"edge`):
			t.Errorf("%s", line)
		}
	}
	if named != 1 {
		t.Errorf("%d lines are of an edge, want one:\n%s", named, strings.Join(lines, ""))
	}
}

// TestPurgeAtAnEdge purges at an edge and asks there at once, over and over: the
// shield may not have heard of it yet.
func TestPurgeAtAnEdge(t *testing.T) {
	g := startTier(t, 2, "")
	for i := range 100 {
		path := fmt.Sprintf("/raced/%d", i%3)
		text := fmt.Sprintf("version %d", i)
		g.page(text, "Cache-Control", "max-age=600", "Surrogate-Key", "k")
		e := g.edge(i % 2)
		switch i % 3 {
		case 0:
			e.purge(api.Purge{Keys: []string{"k"}})
		case 1:
			e.purge(api.Purge{URLs: []string{"http://shop.example" + path}})
		case 2:
			e.purge(api.Purge{All: true})
		}
		if r := e.do("GET", path); r.body != text {
			t.Fatalf("round %d: %q, want %q; X-Cache %q, Cache-Status %q", i, r.body, text, r.Header.Get("X-Cache"), r.Header.Values("Cache-Status"))
		}
	}
	t.Logf("edge 0: %+v", g.edge(0).app.mu.shielded["shop"].Stats())
	t.Logf("shields: %+v %+v", g.shield(0).app.shield.catcher.Stats(), g.shield(1).app.shield.catcher.Stats())
}
