package control

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestTraces(t *testing.T) {
	n := newNode(t)
	target := field.Target{Scheme: "https", Host: "www.example.com", Path: "/Docs/page", Query: "a=1", HasQuery: true}
	tags := append(n.hasher.AppendTags(nil, "shop", target), n.hasher.Surrogate("shop", "product-42"))
	purgeOf := func(service string, selectors ...purge.Selector) Receipt {
		t.Helper()
		r, err := n.Purge(with(stranger, "root-secret"), Request{Service: service, Selectors: selectors})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if _, ok := n.LastPurge("shop", tags); ok {
		t.Error("a purge was found before there was one")
	}
	byPath := purgeOf("shop", key(t, "other"), path(t, "/Docs"))
	purgeOf("shop", key(t, "Product-42"), url(t, "//www.example.com/docs/page/?a=1"))
	purgeOf("blog", purge.All())
	if got, ok := n.LastPurge("shop", tags); !ok || got.Receipt.ID != byPath.ID || got.Selector.Kind != purge.ByPath {
		t.Errorf("last purge %+v, %v", got, ok)
	}
	if got, ok := n.NearKey("shop", []string{"x", "product-42"}); !ok || got.Selector.Key != "Product-42" {
		t.Errorf("near key %+v, %v", got, ok)
	}
	if got, ok := n.NearURL("shop", target); !ok || got.Selector.Target.Path != "/docs/page/" {
		t.Errorf("near URL %+v, %v", got, ok)
	}
	byKey := purgeOf("shop", key(t, "product-42"), url(t, "//www.example.com/Docs/page?a=1"))
	if got, _ := n.LastPurge("shop", tags); got.Receipt.ID != byKey.ID || got.Selector.Key != "product-42" {
		t.Errorf("last purge %+v", got)
	}
	if got, ok := n.Purged(byPath.ID, tags); !ok || got.Selector.Target.Path != "/Docs" {
		t.Errorf("purge by id %+v, %v", got, ok)
	}
	if _, ok := n.NearKey("shop", []string{"Product-42", "product-42"}); ok {
		t.Error("what was spelt right counts as misspelt")
	}
	if _, ok := n.NearURL("blog", target); ok {
		t.Error("a purge of another service")
	}
	if _, ok := n.Purged(purge.NewID(1), tags); ok {
		t.Error("a purge that never was")
	}
}

func TestWatcher(t *testing.T) {
	n := newNode(t)
	for secret, want := range map[string]bool{"root-secret": true, "watcher-secret": true, "deploy-secret": false, "wrong-secret": false} {
		if _, err := n.Watcher(with(stranger, secret)); (err == nil) != want {
			t.Errorf("%s: %v", secret, err)
		}
	}
	if _, err := n.Watcher(here); err != nil {
		t.Errorf("the node's own host: %v", err)
	}
	if r, err := n.Reader(with(stranger, "deploy-secret")); err != nil || r.May("") {
		t.Errorf("a token for one service sees what belongs to none: %v", err)
	}
}

func TestTokenOnly(t *testing.T) {
	n := newNode(t)
	for _, creds := range []Credentials{here, socket, onData(office)} {
		creds.TokenOnly = true
		if err := n.ask(t, creds, "shop", 1); err == nil {
			t.Errorf("%+v was let in by address", creds)
		}
		if err := n.ask(t, with(creds, "deploy-secret"), "shop", 1); err != nil {
			t.Errorf("%+v with a token: %v", creds, err)
		}
	}
}
