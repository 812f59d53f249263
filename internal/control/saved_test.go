package control

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/purge"
)

// eager is a cluster of which every member confirms everything at once.
type eager struct{}

func (eager) Admit() error            { return nil }
func (eager) Publish([]journal.Entry) {}

func (eager) Wait(context.Context, journal.ID, Level) ([]string, error) { return nil, nil }

func (eager) Progress(journal.ID) Progress {
	return Progress{Members: []Confirmation{{Member: "n2", Applied: true}}}
}

// Others have a purge on disk that this node could not save. Its receipt must not
// claim for this node what a crash would undo.
func TestAReceiptDoesNotClaimWhatIsNotSaved(t *testing.T) {
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
	n.parts.Cluster = eager{}
	disk.Fault = func(op vfs.Op, _ string) error {
		if op == vfs.OpWrite || op == vfs.OpSync || op == vfs.OpCreate {
			return errors.New("no space left on device")
		}
		return nil
	}
	if _, err := n.Purge(here, Request{Service: "shop", Selectors: slicesOf(t, 1)}); !errors.Is(err, ErrNotSaved) {
		t.Fatal(err)
	}
	r := n.ledger.recent(1, func(string) bool { return true })[0]
	expect := func(when string, saved bool) {
		t.Helper()
		if p, ok := n.Progress(r); !ok || p.Saved != saved {
			t.Errorf("%s: the receipt says saved %v", when, p.Saved)
		}
		for _, level := range []Level{WaitPeer, WaitPOP, WaitAll} {
			missing, err := n.Wait(t.Context(), r, level)
			if want := !saved && level != WaitPeer; err != nil || slices.Contains(missing, r.Node) != want {
				t.Errorf("%s, level %s: missing %v, %v", when, level, missing, err)
			}
		}
	}
	expect("while the disk takes nothing", false)
	disk.Fault = nil
	if err := n.parts.Journal.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect("once it is written", true)
}

// A purge that was taken back does nothing for others that asked for the same.
func TestWhatWasTakenBackDoesNotStand(t *testing.T) {
	n := newNode(t)
	n.engine.undo = purge.Undone
	made, err := n.Purge(here, Request{Service: "shop", Selectors: slicesOf(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	entry := n.parts.Journal.Supply(journal.Request{Ranges: []journal.Range{
		{Incarnation: made.Entry.Incarnation, Spans: journal.Spans{{First: 1, Last: 1}}},
	}}).Entries[0]
	if !n.Stands(&entry) {
		t.Error("a purge in force does not stand")
	}
	if newNode(t).Stands(&entry) {
		t.Error("a purge that is not known stands")
	}
	if _, err := n.Revert(here, made.ID); err != nil {
		t.Fatal(err)
	}
	if n.Stands(&entry) {
		t.Error("a purge that was taken back stands")
	}
}
