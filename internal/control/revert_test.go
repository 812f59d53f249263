package control

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestRevert(t *testing.T) {
	n := newNode(t)
	r, err := n.Purge(with(stranger, "deploy-secret"), Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}})
	if err != nil {
		t.Fatal(err)
	}
	n.engine.undo = purge.UndoneInPart
	rev, err := n.Revert(with(stranger, "editor-secret"), r.ID)
	if err != nil || rev.Outcome != purge.UndoneInPart || rev.Actor != "editor" {
		t.Fatalf("reverted %+v, %v", rev, err)
	}
	reader, err := n.Reader(here)
	if err != nil {
		t.Fatal(err)
	}
	if kept, _ := reader.Receipt(r.ID); kept.Reverted == nil || *kept.Reverted != rev {
		t.Errorf("the receipt says %+v", kept.Reverted)
	}
	again, err := n.Revert(with(stranger, "deploy-secret"), r.ID)
	if err != nil || again.Outcome != purge.UndoneAlready || again.Actor != "editor" {
		t.Errorf("reverting again gave %+v, %v", again, err)
	}
	if n.engine.reverts != 1 || len(n.sink.reverted) != 1 || n.Stats().Reverts != 1 {
		t.Errorf("%d reverts, %d events", n.engine.reverts, len(n.sink.reverted))
	}
}

func TestRevertNeedsWhatThePurgeNeeded(t *testing.T) {
	n := newNode(t)
	some, err1 := n.Purge(with(stranger, "root-secret"), Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}})
	all, err2 := n.Purge(with(stranger, "root-secret"), Request{Service: "shop", Selectors: []purge.Selector{purge.All()}})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		creds Credentials
		id    purge.ID
		want  error
	}{
		{with(stranger, "editor-secret"), all.ID, ErrForbidden},
		{with(stranger, "flusher-secret"), some.ID, ErrForbidden},
		{with(stranger, "watcher-secret"), some.ID, ErrForbidden},
		{with(stranger, "wrong-secret"), some.ID, ErrUnauthenticated},
		{stranger, some.ID, ErrUnauthenticated},
		{stranger, purge.NewID(1), ErrUnauthenticated},
		{with(stranger, "root-secret"), purge.NewID(1), ErrUnknownPurge},
		{here, purge.NewID(1), ErrUnknownPurge},
		{here, all.ID, nil},
		{with(stranger, "editor-secret"), some.ID, nil},
	} {
		if _, err := n.Revert(tc.creds, tc.id); !errors.Is(err, tc.want) {
			t.Errorf("%v reverts: %v, want %v", tc.creds, err, tc.want)
		}
	}
}

// Reverts at one time wait for one sync together, as purges do.
func TestRevertsShareASync(t *testing.T) {
	const reverts = 16
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
	var ids []purge.ID
	for range reverts {
		r, err := n.Purge(here, Request{Service: "shop", Selectors: slicesOf(t, 1)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	syncs, deadline := 0, time.Now().Add(20*time.Second)
	disk.Fault = func(op vfs.Op, _ string) error {
		if op != vfs.OpSync {
			return nil
		}
		for syncs++; syncs == 1; runtime.Gosched() {
			if _, issued := n.parts.Journal.Own(); issued == 2*reverts {
				break
			}
			if time.Now().After(deadline) {
				return errors.New("the others wait for this sync")
			}
		}
		return nil
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		for range 2 { // the second of one purge is told no sooner than the first
			wg.Go(func() {
				if _, err := n.Revert(here, id); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	disk.Fault = nil
	again := withTokens(t, disk.Clone())
	for _, id := range ids {
		if kept, ok := again.ledger.get(id); !ok || kept.Reverted == nil {
			t.Fatalf("after a restart: %+v", kept)
		}
	}
	if syncs > reverts/2 {
		t.Errorf("%d syncs for %d reverts", syncs, reverts)
	}
}

// TestRevertTooLate has an engine that refuses, and one that has forgotten the
// purge: neither may be told as a success, however often it is asked.
func TestRevertTooLate(t *testing.T) {
	for _, outcomes := range [][2]purge.Undo{
		{purge.UndoTooLate, purge.UndoTooLate},
		{purge.UndoneAhead, purge.UndoneAlready},
	} {
		n := newNode(t)
		r, err := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}})
		if err != nil {
			t.Fatal(err)
		}
		for _, n.engine.undo = range outcomes {
			if _, err := n.Revert(here, r.ID); !errors.Is(err, ErrTooLate) {
				t.Errorf("%v: %v, want %v", n.engine.undo, err, ErrTooLate)
			}
		}
		if _, issued := n.parts.Journal.Own(); issued != 1 {
			t.Errorf("%d entries, want only the purge: another node could still undo it", issued)
		}
		if len(n.sink.reverted) != 0 {
			t.Errorf("reported as reverted: %+v", n.sink.reverted)
		}
	}
}
