package control

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/purge"
)

// node is a Control with everything around it under the test's hand.
type node struct {
	*Control
	cfg    Config
	engine *fakeEngine
	sink   *fakeSink
	hasher *field.Hasher
	count  map[field.Tag]int
	clock  time.Time
	tokens []event.TokenChanged
}

var noLimits = Limits{PerHour: -1, AllPerHour: -1, PerSecond: -1}

var (
	here     = Credentials{Addr: netip.MustParseAddr("127.0.0.1")}
	office   = Credentials{Addr: netip.MustParseAddr("192.0.2.7")}
	stranger = Credentials{Addr: netip.MustParseAddr("203.0.113.9")}
)

func with(c Credentials, secret string) Credentials { c.Token = secret; return c }
func onData(c Credentials) Credentials              { c.Listener = DataListener; return c }
func forwarded(c Credentials) Credentials           { c.Forwarded = true; return c }

func newNode(t testing.TB, change ...func(*Config)) *node {
	t.Helper()
	hosts := map[string]string{"www.example.com": "shop", "blog.example": "blog", "locked.example": "locked"}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	n := &node{
		engine: &fakeEngine{}, sink: &fakeSink{}, hasher: field.RandomHasher(),
		count: map[field.Tag]int{}, clock: time.Unix(1_800_000_000, 0),
		cfg: Config{
			Services: []Service{
				{ID: "shop", AllowFrom: append(loopback, netip.MustParsePrefix("192.0.2.0/24"))},
				{ID: "blog"},
				{ID: "locked", AllowFrom: loopback, RequireToken: true},
			},
			Tokens: []Token{
				token(t, "deploy", "purge_select purge_all", "shop"),
				token(t, "editor", "purge_select", "shop"),
				token(t, "flusher", "purge_all", "shop"),
				token(t, "watcher", "global:read"),
				token(t, "root", "global"),
			},
			Resolve: func(host string) (string, bool) { id, ok := hosts[host]; return id, ok },
		},
	}
	for _, f := range change {
		f(&n.cfg)
	}
	n.start(t, nil)
	return n
}

// start replaces the node's Control by a new one, as a restart does. disk is
// where its journal is; nil: nowhere.
func (n *node) start(t testing.TB, disk *vfs.Memory) {
	t.Helper()
	cfg := durable.Config{Items: Items, Now: n.now}
	if disk != nil {
		cfg.FS = disk
	}
	j, err := durable.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Parts{
		Engine: n.engine, Hasher: n.hasher, Counter: n, Sink: n.sink, Now: n.now, Journal: j, KeepTokens: disk != nil, Node: "n1",
		TokenChanged: func(e event.TokenChanged) { n.tokens = append(n.tokens, e) },
	}, n.cfg)
	if err != nil {
		t.Fatal(err)
	}
	n.Control = c
}

// withTokens starts a node that keeps tokens on a disk.
func withTokens(t testing.TB, disk *vfs.Memory) *node {
	t.Helper()
	n := newNode(t)
	n.start(t, disk)
	return n
}

func (n *node) now() time.Time { return n.clock }

func (n *node) Touched(_ string, tag field.Tag, _ purge.ID) int { return n.count[tag] }

// tag returns the tag of a selector in a service without a query rule.
func (n *node) tag(s purge.Selector, service string) field.Tag {
	return s.Tag(n.hasher, service, field.QueryRule{})
}

// fakeEngine remembers what it is told to do.
type fakeEngine struct {
	mu      sync.Mutex
	applied []purge.Purge
	undo    purge.Undo
	reverts int
	wait    time.Duration // until there is room for predicates
}

func (e *fakeEngine) Room(_ int64, _ string, more []*purge.Predicate) (time.Duration, error) {
	if len(more) == 0 {
		return 0, nil
	}
	return e.wait, nil
}

func (e *fakeEngine) Apply(_ int64, p purge.Purge) purge.Applied {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.applied = append(e.applied, p)
	return purge.Applied{Position: field.Position(len(e.applied))}
}

func (e *fakeEngine) Foresee(int64, purge.ID) purge.Undo { return e.undo }

func (e *fakeEngine) Revert(int64, purge.ID) purge.Undo {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reverts++
	return e.undo
}

// fakeSink keeps events.
type fakeSink struct {
	mu       sync.Mutex
	purged   []event.Purged
	reverted []event.Reverted
	denied   []event.Denied
}

func (s *fakeSink) Purged(e event.Purged) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.purged = append(s.purged, e)
}

func (s *fakeSink) Reverted(e event.Reverted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reverted = append(s.reverted, e)
}

func (s *fakeSink) Denied(e event.Denied) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = append(s.denied, e)
}

func key(t testing.TB, k string) purge.Selector  { return must(t)(purge.Key(k)) }
func url(t testing.TB, u string) purge.Selector  { return must(t)(purge.URL(u)) }
func path(t testing.TB, p string) purge.Selector { return must(t)(purge.Path(p)) }
func host(t testing.TB, h string) purge.Selector { return must(t)(purge.Host(h)) }

func must(t testing.TB) func(purge.Selector, error) purge.Selector {
	return func(s purge.Selector, err error) purge.Selector {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}
