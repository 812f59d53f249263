package control

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestInvalidate(t *testing.T) {
	n := newNode(t)
	a := field.Target{Scheme: "https", Host: "www.example.com", Path: "/a", Query: "x", HasQuery: true}
	plain := a
	plain.Scheme = "http"
	n.Invalidate("shop", []field.Target{a, plain, a, {Host: "blog.example", Path: "/"}, {Host: "nobody.example", Path: "/"}})
	if len(n.engine.applied) != 1 {
		t.Fatalf("%d purges for one URL", len(n.engine.applied))
	}
	p := n.engine.applied[0]
	if want := n.tag(url(t, "//www.example.com/a?x"), "shop"); len(p.Tags) != 1 || p.Tags[0] != want {
		t.Errorf("tags %v, want one, of the URL under any scheme", p.Tags)
	}
	if p.Effect.Mode != purge.Hard || p.All || p.Service != "shop" {
		t.Errorf("applied %+v", p)
	}
	n.Invalidate("shop", nil)
	n.Invalidate("nobody", []field.Target{a})
	if len(n.engine.applied) != 1 {
		t.Error("nothing to invalidate, and something was")
	}
}

// TestInvalidateIsAlwaysAppliedAndNeverRecorded is a flood of anonymous POSTs.
func TestInvalidateIsAlwaysAppliedAndNeverRecorded(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits = Limits{PerHour: 1, AllPerHour: 1, PerSecond: 1} })
	const posts = 600
	for i := range posts {
		n.Invalidate("shop", []field.Target{{Host: "www.example.com", Path: fmt.Sprint("/", i)}})
	}
	if len(n.engine.applied) != posts {
		t.Errorf("%d of %d applied", len(n.engine.applied), posts)
	}
	if len(n.sink.purged) != 0 || len(n.ledger.mu.order) != 0 {
		t.Errorf("%d events and %d receipts", len(n.sink.purged), len(n.ledger.mu.order))
	}
	if s := n.Stats(); s.Invalidations != posts || s.Purges != 0 {
		t.Errorf("stats %+v", s)
	}
	if _, err := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}}); err != nil {
		t.Errorf("the flood used up the operators' limit: %v", err)
	}
}

func TestInvalidateManyAtOnce(t *testing.T) {
	n := newNode(t)
	var targets []field.Target
	for i := range 2*purge.MaxKeys + 1 {
		targets = append(targets, field.Target{Host: "www.example.com", Path: fmt.Sprint("/", i)})
	}
	n.Invalidate("shop", targets)
	tags := 0
	for _, p := range n.engine.applied {
		tags += len(p.Tags)
	}
	if tags != len(targets) {
		t.Errorf("%d tags of %d URLs", tags, len(targets))
	}
}

// fakeCluster takes everything, unless it is told why not.
type fakeCluster struct {
	Cluster
	entries []journal.Entry
	full    error
}

func (f *fakeCluster) Admit() error { return f.full }

func (f *fakeCluster) Publish(list []journal.Entry) { f.entries = append(f.entries, list...) }

// Long URLs, which anybody may POST to, keep nobody's from being passed on.
func TestInvalidationsOfLongURLsSpread(t *testing.T) {
	n := newNode(t)
	others := &fakeCluster{}
	n.parts.Cluster = others
	long := strings.Repeat("x", 8000)
	for i := range 200 {
		n.Invalidate("shop", []field.Target{{Host: "www.example.com", Path: fmt.Sprint("/", i, long)}})
	}
	n.SpreadInvalidations()
	told := 0
	for _, e := range others.entries {
		r, err := parsePurge(e.Body, new(words))
		if err != nil {
			t.Fatal(err)
		}
		told += len(r.Selectors)
	}
	if told != 200 || n.unsafe.left.Load() != 0 {
		t.Errorf("%d of 200 URLs are passed on, %d left out", told, n.unsafe.left.Load())
	}
}
