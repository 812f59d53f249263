package control

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestPurgesByHeaderAndBan(t *testing.T) {
	n := newNode(t)
	header := must(t)(purge.Header("X-Product", "shoes/*", ""))
	bounded := must(t)(header.Under(path(t, "//www.example.com/shop")))
	ban := must(t)(purge.ParseBan("obj.status == 404"))
	r, err := n.Purge(with(office, "editor-secret"), Request{Service: "shop", Selectors: []purge.Selector{header, bounded, ban, url(t, "//www.example.com/a")}})
	if err != nil {
		t.Fatal(err)
	}
	p := n.engine.applied[0]
	if len(p.Tags) != 1 || len(p.Predicates) != 3 || p.All {
		t.Errorf("applied %d tags, %d predicates, all %v", len(p.Tags), len(p.Predicates), p.All)
	}
	if r.CountKnown {
		t.Error("what is not known yet is counted")
	}
	shown := n.sink.purged[0].Selectors
	for i, want := range []string{"X-Product: shoes/*", "X-Product: shoes/* under path www.example.com/shop", "obj.status == 404"} {
		if shown[i].Value != want {
			t.Errorf("the event shows %q, want %q", shown[i].Value, want)
		}
	}
	if got, ok := n.Purged(r.ID, nil); !ok || got.Selector != header {
		t.Errorf("traced to %+v", got.Selector)
	}
	if _, ok := n.LastPurge("shop", p.Tags[:0]); ok {
		t.Error("a header purge names what has no tags")
	}
}

// TestBoundedSelectorsNameTheirService holds that the host of what bounds a
// selector says whose it is, and that it must be the service's.
func TestBoundedSelectorsNameTheirService(t *testing.T) {
	n := newNode(t)
	header := must(t)(purge.Header("X-A", "b", ""))
	bounded := must(t)(header.Under(host(t, "www.example.com")))
	if r, err := n.Purge(with(office, "root-secret"), Request{Selectors: []purge.Selector{bounded}}); err != nil || r.Service != "shop" {
		t.Errorf("%v, %v", r.Service, err)
	}
	if _, err := n.Purge(with(office, "root-secret"), Request{Service: "blog", Selectors: []purge.Selector{bounded}}); !errors.Is(err, purge.ErrBadSelector) {
		t.Errorf("under another service's host: %v", err)
	}
}

// TestTooManyPredicatesInForce holds that a purge by header is refused with the
// time to wait, and that one refused takes nothing of other limits.
func TestTooManyPredicatesInForce(t *testing.T) {
	n := newNode(t)
	n.engine.wait = 42 * time.Second
	caller := with(office, "editor-secret")
	before := n.Allowance(caller, "shop", false).Remaining
	header := must(t)(purge.Header("X-A", "b", ""))
	_, err := n.Purge(caller, Request{Service: "shop", Selectors: []purge.Selector{header}})
	var limited *LimitedError
	if !errors.As(err, &limited) || limited.Seconds() != 42 || len(n.engine.applied) != 0 {
		t.Fatalf("%v", err)
	}
	if after := n.Allowance(caller, "shop", false).Remaining; after != before {
		t.Errorf("%d of %d purges are left", after, before)
	}
	if _, err := n.Purge(caller, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}}); err != nil {
		t.Errorf("a purge by key: %v", err)
	}
	if _, err := n.Purge(with(stranger, ""), Request{Service: "shop", Selectors: []purge.Selector{header}}); errors.As(err, &limited) {
		t.Errorf("a stranger learns of limits: %v", err)
	}
}

// TestBansOfEverythingNeedTheScope holds that a ban that names everything is a
// purge of everything.
func TestBansOfEverythingNeedTheScope(t *testing.T) {
	n := newNode(t)
	all := must(t)(purge.ParseBan("req.http.host ~ .* && req.url ~ .*"))
	if _, err := n.Purge(with(office, "editor-secret"), Request{Service: "shop", Selectors: []purge.Selector{all}}); !errors.Is(err, ErrForbidden) {
		t.Errorf("%v", err)
	}
}

// TestSelectorsTravel holds that another node reads the selector that was sent.
func TestSelectorsTravel(t *testing.T) {
	bounded := must(t)(must(t)(purge.ParseBan(`obj.http.x-a ~ "a b" && req.url !~ ^/c`)).Under(path(t, "//www.example.com/shop")))
	for _, s := range []purge.Selector{
		must(t)(purge.Header("X-*", "", "")), must(t)(purge.Header("X-Tag", "(?i)a?b*", ", ")), bounded,
		must(t)(bounded.Under(host(t, "www.example.com"))), must(t)(bounded.Under(url(t, "https://www.example.com/a?b"))),
	} {
		if got, err := parseSelector(appendSelector(nil, &s)); err != nil || got != s {
			t.Errorf("%+v became %+v, %v", s, got, err)
		}
	}
	later := bounded
	later.Scope = 99
	if got, err := parseSelector(appendSelector(nil, &later)); err != nil || got.Scope != 0 {
		t.Errorf("bounded in an unknown way: %+v, %v", got, err)
	}
}

// TestWhatCannotBeCompiledTakesWhatBoundsIt holds that a node that does not
// understand another's expression withdraws too much, not too little.
func TestWhatCannotBeCompiledTakesWhatBoundsIt(t *testing.T) {
	n := newNode(t)
	svc := n.state.Load().services["shop"]
	scope := path(t, "/shop")
	var m marks
	n.addPredicates(&m, svc, []purge.Selector{
		{Kind: purge.ByBan, Ban: "req.url ~~ x", Scope: purge.ByPath, Target: scope.Target}, {Kind: purge.ByHeader},
	})
	want := []field.Tag{n.tag(scope, "shop"), n.hasher.All("shop")}
	if len(m.predicates) != 0 || !slices.Equal(m.tags, want) {
		t.Errorf("%d predicates, tags %v; want %v", len(m.predicates), m.tags, want)
	}
}
