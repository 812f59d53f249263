package control

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/purge"
)

func TestAcceptedElsewhere(t *testing.T) {
	n := newNode(t)
	here, start := n.parts.Node, n.clock
	for _, r := range []Receipt{
		{Node: "other", Dialect: "stackpath", Note: "old", Accepted: start},
		{Node: "other", Dialect: "stackpath", Note: "a", Accepted: start.Add(time.Second)},
		{Node: here, Dialect: "stackpath", Note: "own", Accepted: start.Add(time.Second)},
		{Node: "other", Dialect: "native", Note: "native", Accepted: start.Add(time.Second)},
		{Node: "third", Dialect: "stackpath", Note: "b", Accepted: start.Add(2 * time.Second)},
	} {
		r.ID = purge.NewID(1)
		n.ledger.add(&r)
	}
	got := ""
	n.AcceptedElsewhere("stackpath", start, func(r *Receipt) { got += r.Note })
	if got != "ba" {
		t.Errorf("visited %q", got)
	}
}

// A node that was down when a purge was accepted shows what another one has, to
// those who may see it.
func TestFindElsewhere(t *testing.T) {
	issuer, late := newNode(t), newNode(t)
	made, err := issuer.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}, Effect: purge.SoftEffect(), Note: "why"})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	late.parts.Elsewhere = func(_ context.Context, id purge.ID) ([]byte, error) {
		asked++
		if shown := issuer.Show(id); shown != nil {
			return shown, nil
		}
		return nil, errors.New("nor does n1 know it")
	}
	find := func(creds Credentials, id purge.ID) (Receipt, error) {
		t.Helper()
		reader, err := late.Reader(creds)
		if err != nil {
			t.Fatal(err)
		}
		return reader.Find(t.Context(), id)
	}
	got, err := find(here, made.ID)
	if err != nil || got.Service != "shop" || got.Note != "why" || got.Entry != made.Entry || got.Node != made.Node ||
		got.Effect != made.Effect || len(got.Selectors) != 1 || !got.Accepted.Equal(made.Accepted) || got.Reverted != nil {
		t.Errorf("found %+v, %v", got, err)
	}
	issuer.engine.undo = purge.UndoneInPart
	if _, err := issuer.Revert(here, made.ID); err != nil {
		t.Fatal(err)
	}
	if got, err = find(here, made.ID); err != nil || got.Reverted == nil || got.Reverted.Outcome != purge.UndoneInPart {
		t.Errorf("after the revert: %+v, %v", got.Reverted, err)
	}
	late.cfg.Tokens = append(late.cfg.Tokens, token(t, "blogger", "purge_select", "blog"))
	if err := late.Reconfigure(late.cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := find(with(stranger, "blogger-secret"), made.ID); !errors.Is(err, ErrUnknownPurge) {
		t.Errorf("a receipt of another service is shown: %v", err)
	}
	if _, err := find(here, purge.NewID(1)); !errors.Is(err, ErrUnknownPurge) || !strings.Contains(err.Error(), "nor does n1") {
		t.Errorf("%v", err)
	}
	own, err := late.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}})
	if err != nil {
		t.Fatal(err)
	}
	asked = 0
	if _, err := find(with(stranger, "blogger-secret"), own.ID); !errors.Is(err, ErrUnknownPurge) || asked > 0 {
		t.Errorf("asked %d times for what is here: %v", asked, err)
	}
}

func FuzzParseShown(f *testing.F) {
	n := newNode(f)
	made, err := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{key(f, "k")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(n.Show(made.ID))
	n.engine.undo = purge.Undone
	if _, err := n.Revert(here, made.ID); err != nil {
		f.Fatal(err)
	}
	f.Add(n.Show(made.ID))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := parseShown(b); err == nil && (r.ID.IsZero() || r.Service == "") {
			t.Errorf("%+v", r)
		}
	})
}
