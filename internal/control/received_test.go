package control

import (
	"context"
	"errors"
	"testing"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/purge"
)

// hear gives a node all that another has issued.
func (n *node) hear(t *testing.T, from *node) {
	t.Helper()
	diff := n.parts.Journal.Compare(from.parts.Journal.Known(), ^journal.BucketSet(0))
	supply := from.parts.Journal.Supply(journal.Request{Ranges: diff.Want})
	if _, _, err := n.parts.Journal.Receive(supply.Entries); err != nil {
		t.Fatal(err)
	}
}

func TestPurgesOfOthersAreRecorded(t *testing.T) {
	a, b := newNode(t), newNode(t)
	var purged []event.Purged
	var reverted []event.Reverted
	b.parts.Received = func(h Heard) { purged = append(purged, h.Event()) }
	b.parts.ReceivedRevert = func(e event.Reverted) { reverted = append(reverted, e) }
	r, err := a.Purge(here, Request{Service: "shop", Selectors: slicesOf(t, 2), Note: "why"})
	if err != nil {
		t.Fatal(err)
	}
	a.Invalidate("shop", nil)
	b.hear(t, a)
	b.hear(t, a)
	if len(purged) != 1 || purged[0].Node != "n1" || purged[0].ID != r.ID.String() || purged[0].Note != "why" || len(purged[0].Selectors) != 2 {
		t.Errorf("%+v", purged)
	}
	if len(b.sink.purged) != 0 {
		t.Errorf("taken for its own: %+v", b.sink.purged)
	}
	if _, err := a.Revert(here, r.ID); err != nil {
		t.Fatal(err)
	}
	b.hear(t, a)
	if len(reverted) != 1 || !reverted[0].Elsewhere || reverted[0].Service != "shop" || reverted[0].ID != r.ID.String() {
		t.Errorf("%+v", reverted)
	}
}

// A receipt says that its purge was taken back, whichever came first and whether
// or not the node was restarted since.
func TestReceiptsOfWhatWasReverted(t *testing.T) {
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
	r, err := n.Purge(here, Request{Service: "shop", Selectors: slicesOf(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Revert(here, r.ID); err != nil {
		t.Fatal(err)
	}
	again := withTokens(t, disk.Clone())
	again.engine.undo = purge.UndoneAhead // it has applied nothing
	again.start(t, disk.Clone())
	if kept, ok := again.ledger.get(r.ID); !ok || kept.Reverted == nil || kept.Reverted.Actor == "" {
		t.Errorf("after a restart: %+v", kept)
	}

	var l ledger
	l.init()
	l.reverted(Reverted{ID: r.ID, Actor: "somebody"})
	l.add(&Receipt{ID: r.ID})
	l.add(&Receipt{ID: r.ID})
	if kept, _ := l.get(r.ID); kept.Reverted == nil || kept.Reverted.Actor != "somebody" {
		t.Errorf("the revert came first: %+v", kept)
	}
	if all := l.recent(10, func(string) bool { return true }); len(all) != 1 {
		t.Errorf("%d receipts of one purge", len(all))
	}
	for range 3 * maxEarly {
		l.reverted(Reverted{ID: purge.NewID(1)})
	}
	if len(l.mu.early) > maxEarly {
		t.Errorf("%d reverts wait for their purges", len(l.mu.early))
	}
}

// What could not be saved is in force, so it can be seen and taken back.
func TestAPurgeThatCannotBeSavedHasAReceipt(t *testing.T) {
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
	disk.Fault = func(op vfs.Op, _ string) error {
		if op == vfs.OpWrite || op == vfs.OpSync || op == vfs.OpCreate {
			return errors.New("no space left on device")
		}
		return nil
	}
	if _, err := n.Purge(here, Request{Service: "shop", Selectors: slicesOf(t, 1)}); !errors.Is(err, ErrNotSaved) {
		t.Fatal(err)
	}
	if len(n.sink.purged) != 1 {
		t.Errorf("recorded: %+v", n.sink.purged)
	}
	if d := n.sink.denied; len(d) != 1 || d[0].Cause != "no space left on device" {
		t.Errorf("the log does not say why: %+v", d)
	}
	disk.Fault = nil
	all := n.ledger.recent(10, func(string) bool { return true })
	if len(all) != 1 {
		t.Fatalf("%d receipts", len(all))
	}
	if _, err := n.Revert(here, all[0].ID); err != nil {
		t.Error(err)
	}
	if err := n.parts.Journal.Sync(context.Background()); err != nil {
		t.Error(err)
	}
}
