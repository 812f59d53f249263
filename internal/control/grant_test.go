package control

import (
	"errors"
	"testing"

	"github.com/rescind-edge/rescind/internal/purge"
)

func TestGrantActsAsItsToken(t *testing.T) {
	n := newNode(t)
	grant, err := n.Exchange(with(stranger, "editor-secret"))
	if err != nil || grant.Name != "editor" || grant.Ref == "" {
		t.Fatalf("%+v, %v", grant, err)
	}
	creds := stranger
	creds.Grant = grant.Ref
	one := Request{Service: "shop", Selectors: []purge.Selector{key(t, "a")}}
	receipt, err := n.Purge(creds, one)
	if err != nil || receipt.Actor != "editor" {
		t.Errorf("actor %q, %v", receipt.Actor, err)
	}
	if name, err := n.Account(creds); name != "editor" || err != nil {
		t.Errorf("counted for %q, %v", name, err)
	}
	if _, err := n.Purge(creds, Request{Service: "shop", Selectors: []purge.Selector{purge.All()}}); !errors.Is(err, ErrForbidden) {
		t.Errorf("beyond its scope: %v", err)
	}
	next := n.cfg
	next.Tokens = []Token{token(t, "deploy", "global")}
	if err := n.Reconfigure(next); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Purge(creds, one); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("of a token that is gone: %v", err)
	}
}

func TestExchangeNeedsAToken(t *testing.T) {
	n := newNode(t)
	for _, creds := range []Credentials{here, with(here, "wrong")} {
		if _, err := n.Exchange(creds); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("%v: %v", creds, err)
		}
	}
	forged := here
	forged.Grant = "0123"
	if _, err := n.Account(forged); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("an unknown grant: %v", err)
	}
}

func TestAdmits(t *testing.T) {
	n := newNode(t)
	for _, tc := range []struct {
		creds   Credentials
		service string
		want    bool
	}{
		{onData(here), "shop", true},
		{onData(office), "shop", true},
		{onData(forwarded(here)), "shop", false},
		{onData(stranger), "shop", false},
		{onData(here), "locked", false},
		{onData(here), "nobody", false},
	} {
		if got := n.Admits(tc.creds, tc.service); got != tc.want {
			t.Errorf("%v for %q: %v", tc.creds, tc.service, got)
		}
	}
	if len(n.sink.denied) != 0 {
		t.Errorf("%d denials are reported", len(n.sink.denied))
	}
}
