package control

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestReceipt(t *testing.T) {
	n := newNode(t)
	u := url(t, "//www.example.com/a?b=1")
	n.count[n.tag(u, "shop")] = 2
	effect := purge.SoftEffect()
	effect.TTL = time.Minute
	got, err := n.Purge(with(stranger, "editor-secret"), Request{
		Host: "WWW.example.com:443", Selectors: []purge.Selector{u}, Effect: effect, Dialect: "native", Note: "typo",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Service != "shop" || got.Actor != "editor" || got.Dialect != "native" || got.Note != "typo" || got.Position != 1 {
		t.Errorf("receipt %+v", got)
	}
	if !got.CountKnown || got.Count != 2 {
		t.Errorf("count %d, known %v; want 2", got.Count, got.CountKnown)
	}
	applied := n.engine.applied[0]
	if applied.Effect.At != n.clock.UnixNano() || applied.Effect.TTL != time.Minute || applied.ID != got.ID {
		t.Errorf("applied %+v", applied)
	}
	reader, err := n.Reader(here)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := reader.Receipt(got.ID); err != nil || kept.ID != got.ID {
		t.Errorf("receipt %v: %v", got.ID, err)
	}
	if e := n.sink.purged[0]; e.ID != got.ID.String() || e.Selectors[0] != (event.Selector{Kind: "url", Value: "//www.example.com/a?b=1"}) ||
		e.Mode != "soft" || e.Addr != stranger.Addr || e.Count != 2 {
		t.Errorf("event %+v", e)
	}
}

func TestServiceOfRequest(t *testing.T) {
	alone := func(c *Config) { c.Services = c.Services[:1]; c.Tokens = c.Tokens[4:] }
	for _, tc := range []struct {
		name    string
		change  []func(*Config)
		request Request
		want    string
		err     error
	}{
		{"by id", nil, Request{Service: "blog", Selectors: []purge.Selector{key(t, "k")}}, "blog", nil},
		{"by host", nil, Request{Host: "Blog.Example.", Selectors: []purge.Selector{key(t, "k")}}, "blog", nil},
		{"by the host of a selector", nil, Request{Selectors: []purge.Selector{url(t, "http://blog.example:80/")}}, "blog", nil},
		{"by the host of a path", nil, Request{Selectors: []purge.Selector{path(t, "blog.example/a")}}, "blog", nil},
		{"by the host of a host", nil, Request{Selectors: []purge.Selector{host(t, "blog.example")}}, "blog", nil},
		{"hosts of two", nil, Request{Selectors: []purge.Selector{url(t, "blog.example/"), url(t, "www.example.com/")}}, "", ErrUnknownService},
		{"a key of several", nil, Request{Selectors: []purge.Selector{key(t, "k")}}, "", ErrUnknownService},
		{"a key of the only one", []func(*Config){alone}, Request{Selectors: []purge.Selector{key(t, "k")}}, "shop", nil},
		{"nothing of the only one", []func(*Config){alone}, Request{}, "", ErrBadRequest},
		{"an unknown host", nil, Request{Selectors: []purge.Selector{url(t, "nobody.example/")}}, "", ErrUnknownService},
		{"a host that is none", nil, Request{Host: "a b", Selectors: []purge.Selector{key(t, "k")}}, "", ErrUnknownService},
		{"another's host", nil, Request{Service: "shop", Selectors: []purge.Selector{url(t, "blog.example/")}}, "", purge.ErrBadSelector},
		{"nobody's host", nil, Request{Service: "shop", Selectors: []purge.Selector{host(t, "nobody.example")}}, "", purge.ErrBadSelector},
		{"too many", nil, Request{Service: "shop", Selectors: make([]purge.Selector, purge.MaxKeys+1)}, "", ErrTooManyKeys},
		{"a long note", nil, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}, Note: strings.Repeat("x", MaxNoteBytes+1)}, "", ErrBadRequest},
	} {
		n := newNode(t, tc.change...)
		got, err := n.Purge(with(stranger, "root-secret"), tc.request)
		if got.Service != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %q, %v; want %q, %v", tc.name, got.Service, err, tc.want, tc.err)
		}
		if len(n.engine.applied) > 0 != (err == nil) {
			t.Errorf("%s: error %v and %d purges", tc.name, err, len(n.engine.applied))
		}
	}
}

func TestCountsEachObjectOnce(t *testing.T) {
	n := newNode(t)
	selectors := []purge.Selector{
		url(t, "https://www.example.com/a?x=1&y=2"), url(t, "//www.example.com/a?y=2&x=1"), url(t, "http://www.example.com/a?x=1&y=2"),
	}
	n.count[n.tag(selectors[1], "shop")] = 5
	got, err := n.Purge(here, Request{Service: "shop", Selectors: selectors})
	if err != nil || got.Count != 5 {
		t.Errorf("count %d, want 5: %v", got.Count, err)
	}
	if got, err = n.Purge(here, Request{Service: "shop", Selectors: selectors[:1]}); err != nil || got.Count != 5 {
		t.Errorf("count %d for one scheme, want 5: %v", got.Count, err)
	}
	if got, err = n.Purge(here, Request{Service: "shop", Selectors: append(selectors, key(t, "k"))}); err != nil || got.CountKnown {
		t.Errorf("a purge by key claims to know its count: %+v, %v", got, err)
	}
}

func TestPurgesAreNeverMerged(t *testing.T) {
	n := newNode(t)
	a, err1 := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}})
	b, err2 := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}})
	if err1 != nil || err2 != nil || a.ID == b.ID || len(n.engine.applied) != 2 {
		t.Errorf("two purges of one key: %v, %v, %d applied", a.ID, b.ID, len(n.engine.applied))
	}
}

func slicesOf(t testing.TB, n int) []purge.Selector {
	var out []purge.Selector
	for i := range n {
		out = append(out, key(t, fmt.Sprint("k", i)))
	}
	return out
}

func TestReceiptsAreBounded(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits = noLimits })
	for range maxReceipts + 5 {
		if _, err := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(n.ledger.mu.byID); got != maxReceipts || len(n.ledger.mu.order) != maxReceipts {
		t.Errorf("%d receipts are kept", got)
	}
	long := url(t, "//www.example.com/"+strings.Repeat("x", 60<<10))
	for range maxReceiptBytes/(60<<10) + 5 {
		if _, err := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{long}}); err != nil {
			t.Fatal(err)
		}
	}
	if n.ledger.mu.bytes > maxReceiptBytes {
		t.Errorf("receipts take %d bytes", n.ledger.mu.bytes)
	}
}

func TestRecentIsNewestFirstAndOnesOwn(t *testing.T) {
	n := newNode(t)
	root := with(stranger, "root-secret")
	for _, service := range []string{"shop", "blog", "shop", "locked"} {
		if _, err := n.Purge(root, Request{Service: service, Selectors: []purge.Selector{key(t, "k")}, Note: service}); err != nil {
			t.Fatal(err)
		}
	}
	for secret, want := range map[string]string{"root-secret": "locked shop blog", "deploy-secret": "shop shop"} {
		reader, err := n.Reader(with(stranger, secret))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range reader.Recent(3) {
			got = append(got, r.Service)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", secret, got, want)
		}
	}
	all := n.ledger.recent(10, func(string) bool { return true })
	reader, err := n.Reader(with(stranger, "deploy-secret"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Receipt(all[0].ID); !errors.Is(err, ErrUnknownPurge) {
		t.Errorf("a receipt of another's service: %v", err)
	}
}

func TestReloadKeepsReceiptsAndReplacesTokens(t *testing.T) {
	n := newNode(t)
	got, err := n.Purge(with(stranger, "deploy-secret"), Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}})
	if err != nil {
		t.Fatal(err)
	}
	next := n.cfg
	next.Tokens = []Token{token(t, "fresh", "global")}
	if err := n.Reconfigure(next); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Purge(with(here, "deploy-secret"), Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}}); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a token that was taken away: %v", err)
	}
	if _, err := n.Revert(with(stranger, "fresh-secret"), got.ID); err != nil {
		t.Errorf("reverting what was purged before: %v", err)
	}
	for name, bad := range map[string]func(*Config){
		"no resolver":     func(c *Config) { c.Resolve = nil },
		"repeated id":     func(c *Config) { c.Services = append(c.Services[:1:1], c.Services[0]) },
		"repeated token":  func(c *Config) { c.Tokens = append(c.Tokens[:1:1], c.Tokens[0]) },
		"repeated secret": func(c *Config) { x := c.Tokens[0]; x.name = "x"; c.Tokens = append(c.Tokens[:1:1], x) },
		"empty id":        func(c *Config) { c.Services = []Service{{}} },
	} {
		cfg := next
		bad(&cfg)
		if err := n.Reconfigure(cfg); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := n.Reader(with(stranger, "fresh-secret")); err != nil {
		t.Errorf("a refused reload changed something: %v", err)
	}
}

func TestDenialsAreReportedWithoutSecretsAndBounded(t *testing.T) {
	n := newNode(t)
	for range deniedBurst + 50 {
		if _, err := n.Purge(with(stranger, "guess-secret"), Request{Service: "shop", Dialect: "fastly"}); err == nil {
			t.Fatal("a guess was let in")
		}
	}
	if len(n.sink.denied) != deniedBurst {
		t.Errorf("%d denials reported", len(n.sink.denied))
	}
	if e := n.sink.denied[0]; e.Reason != event.DeniedUnauthenticated || e.Action != event.DeniedPurge || e.Addr != stranger.Addr ||
		e.Service != "shop" || e.Dialect != "fastly" || strings.Contains(fmt.Sprintf("%+v", e), "guess-secret") {
		t.Errorf("event %+v", e)
	}
	n.clock = n.clock.Add(time.Second)
	if _, err := n.Purge(with(stranger, "editor-secret"), Request{Service: "shop", Selectors: []purge.Selector{purge.All()}}); err == nil {
		t.Fatal("an editor purged all")
	}
	if e := n.sink.denied[deniedBurst]; e.Suppressed != 50 || e.Actor != "editor" || e.Reason != event.DeniedForbidden {
		t.Errorf("event %+v", e)
	}
	if n.Stats().Denied != deniedBurst+51 {
		t.Errorf("stats %+v", n.Stats())
	}
}

func TestEventsAreBounded(t *testing.T) {
	n := newNode(t)
	selectors := append(slicesOf(t, 20), key(t, strings.Repeat("k", 1000)))
	selectors[0], selectors[20] = selectors[20], selectors[0]
	if _, err := n.Purge(here, Request{Service: "shop", Selectors: selectors}); err != nil {
		t.Fatal(err)
	}
	e := n.sink.purged[0]
	if len(e.Selectors) != event.MaxSelectors || e.Omitted != 21-event.MaxSelectors || len(e.Selectors[0].Value) != event.MaxSelectorBytes {
		t.Errorf("%d selectors, %d omitted, %d bytes", len(e.Selectors), e.Omitted, len(e.Selectors[0].Value))
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	n := newNode(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				r, err := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}})
				if err != nil {
					t.Error(err)
					return
				}
				switch i {
				case 0:
					if err := n.Reconfigure(n.cfg); err != nil {
						t.Error(err)
					}
				case 1:
					if _, err := n.Revert(here, r.ID); err != nil {
						t.Error(err)
					}
				case 2:
					n.Invalidate("shop", []field.Target{{Host: "www.example.com", Path: "/"}})
				}
			}
		})
	}
	all.Wait()
	if len(n.engine.applied) != 8*50+50 || n.Stats().Purges != 8*50 {
		t.Errorf("%d applied, stats %+v", len(n.engine.applied), n.Stats())
	}
}
