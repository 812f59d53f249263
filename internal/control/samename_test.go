package control

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/journal"
	replicated "github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// ids returns the ids of the tokens that a node lists under a name.
func (n *node) ids(t *testing.T, name string) (ids []string) {
	t.Helper()
	list, err := n.ListTokens(socket)
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range list {
		if info.Name == name {
			ids = append(ids, info.ID)
		}
	}
	return ids
}

// Two nodes that have not heard of each other make a token of one name: both were
// handed out, so both are good everywhere until each is revoked.
func TestTwoTokensOfOneName(t *testing.T) {
	a, b := withTokens(t, vfs.NewMemory()), withTokens(t, vfs.NewMemory())
	one, first := a.create(t, editorOf("ci"))
	other, second := b.create(t, editorOf("ci"))
	a.hear(t, b)
	b.hear(t, a)
	good := func(when string, secret string, want bool) {
		t.Helper()
		for i, n := range []*node{a, b} {
			if _, err := n.Self(with(stranger, secret)); (err == nil) != want {
				t.Errorf("%s, on node %d: %v, want good %v", when, i, err, want)
			}
		}
	}
	good("after both were made", first, true)
	good("after both were made", second, true)
	for _, n := range []*node{a, b} {
		if ids := n.ids(t, "ci"); len(ids) != 2 || !slices.Contains(ids, one.ID) || !slices.Contains(ids, other.ID) {
			t.Errorf("listed %v, want %s and %s", ids, one.ID, other.ID)
		}
	}
	if la, lb := a.ids(t, "ci"), b.ids(t, "ci"); !slices.Equal(la, lb) {
		t.Errorf("listed in different orders: %v and %v", la, lb)
	}
	taken := func() error {
		_, _, err := a.CreateToken(socket, editorOf("ci"))
		return err
	}
	if err := taken(); !errors.Is(err, ErrTokenConflict) {
		t.Errorf("a third of the name: %v", err)
	}
	if _, err := b.RevokeToken(socket, one.ID); err != nil {
		t.Fatal(err)
	}
	a.hear(t, b)
	good("after the first was revoked", first, false)
	good("after the first was revoked", second, true)
	if err := taken(); !errors.Is(err, ErrTokenConflict) {
		t.Errorf("while one has the name: %v", err)
	}
	if _, err := a.RevokeToken(socket, other.ID); err != nil {
		t.Fatal(err)
	}
	if err := taken(); err != nil {
		t.Errorf("the name is free, and cannot be used: %v", err)
	}
}

// A removal stands whatever comes later, the token itself too.
func TestRemovalOfATokenWins(t *testing.T) {
	a, late := withTokens(t, vfs.NewMemory()), withTokens(t, vfs.NewMemory())
	info, secret := a.create(t, editorOf("ci"))
	if _, err := a.RevokeToken(socket, info.ID); err != nil {
		t.Fatal(err)
	}
	diff := late.parts.Journal.Compare(a.parts.Journal.Known(), ^journal.BucketSet(0))
	entries := a.parts.Journal.Supply(journal.Request{Ranges: diff.Want}).Entries
	slices.Reverse(entries)
	for i := range entries {
		if _, _, err := late.parts.Journal.Receive(entries[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if _, err := late.Self(with(stranger, secret)); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("after entry %d: %v", i, err)
		}
	}
}

// Nodes that were apart may have more tokens together than any of them lets be
// made. All take the same ones, in whatever order they come.
func TestMoreTokensThanOneNodeMakes(t *testing.T) {
	n := withTokens(t, vfs.NewMemory())
	peer := &replicated.Map{}
	for i := range 2*MaxTokens + 10 {
		id := fmt.Sprintf("t%05d", i)
		body := fmt.Sprintf(`{"id":%q,"name":%q,"sha256":"%064x","scopes":["global"],"created":"2026-01-01T00:00:00Z"}`, id, id, i)
		peer.Put(replicated.Item{Key: tokenKey(id), Value: []byte(body)}.Next(n.clock.UnixMilli(), []byte(body)))
	}
	if _, _, err := n.parts.Journal.MergeState(peer, true); err != nil {
		t.Fatal(err)
	}
	if got := len(n.Control.tokens.all()); got != 2*MaxTokens+10 {
		t.Errorf("%d tokens are good, of %d that were handed out", got, 2*MaxTokens+10)
	}
	if _, _, err := n.CreateToken(socket, editorOf("more")); !errors.Is(err, ErrTokenConflict) {
		t.Errorf("one more: %v", err)
	}
}
