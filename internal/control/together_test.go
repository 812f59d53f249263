package control

import (
	"errors"
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/purge"
)

func TestPurgeTogether(t *testing.T) {
	n := newNode(t)
	receipts, err := n.PurgeTogether(with(here, "deploy-secret"), []Request{
		{Service: "shop", Selectors: []purge.Selector{key(t, "a")}},
		{Service: "shop", Selectors: []purge.Selector{key(t, "b")}, Effect: purge.SoftEffect()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(receipts) != 2 || receipts[0].ID == receipts[1].ID || receipts[0].Effect.Mode != purge.Hard || receipts[1].Effect.Mode != purge.Soft {
		t.Errorf("receipts %+v", receipts)
	}
	if len(n.engine.applied) != 2 || len(n.sink.purged) != 2 || n.Stats().Purges != 2 {
		t.Errorf("%d applied, %d told, %+v", len(n.engine.applied), len(n.sink.purged), n.Stats())
	}
}

// TestPurgeTogetherIsAllOrNothing has the fault in the last request.
func TestPurgeTogetherIsAllOrNothing(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Services[0].Limits = Limits{AllPerHour: 1} })
	good := Request{Service: "shop", Selectors: []purge.Selector{key(t, "a")}}
	for name, bad := range map[string]Request{
		"a host of another service": {Service: "shop", Selectors: []purge.Selector{url(t, "//blog.example/")}},
		"no selectors":              {Service: "shop"},
		"an unknown service":        {Service: "nobody", Selectors: good.Selectors},
		"not allowed":               {Service: "blog", Selectors: good.Selectors},
		"too many":                  {Service: "shop", Selectors: slices.Repeat(good.Selectors, purge.MaxKeys+1)},
	} {
		if _, err := n.PurgeTogether(with(here, "editor-secret"), []Request{good, good, bad}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	all := Request{Service: "shop", Selectors: []purge.Selector{purge.All()}}
	var limited *LimitedError
	if _, err := n.PurgeTogether(with(here, "flusher-secret"), []Request{all, all}); !errors.As(err, &limited) {
		t.Errorf("beyond the limit: %v", err)
	}
	for _, none := range [][]Request{nil, slices.Repeat([]Request{good}, MaxTogether+1)} {
		if _, err := n.PurgeTogether(here, none); err == nil {
			t.Errorf("%d requests are accepted", len(none))
		}
	}
	if len(n.engine.applied) != 0 {
		t.Errorf("%d purges were applied", len(n.engine.applied))
	}
}

func TestInvalidateKeys(t *testing.T) {
	n := newNode(t)
	n.InvalidateKeys("shop", []string{"a", "", "b"})
	n.InvalidateKeys("nobody", []string{"a"})
	n.InvalidateKeys("shop", nil)
	if len(n.engine.applied) != 1 || len(n.engine.applied[0].Tags) != 2 || n.Stats().Invalidations != 1 || len(n.sink.purged) != 0 {
		t.Errorf("applied %+v, stats %+v", n.engine.applied, n.Stats())
	}
}
