package app

import (
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/api"
)

// A node that was down when a purge was accepted answers for it with what others
// know, and says where it can be taken back.
func TestAReceiptOfWhatWasMissed(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 3)
	g.nodes[2].stop()
	made, err := g.nodes[0].admin.PurgeAndWait(t.Context(), purgeK, api.WaitPeer, 0)
	if err != nil {
		t.Fatal(err)
	}
	// Started anew, n1 sends it to nobody any more.
	g.nodes[0].stop()
	g.nodes[0].start()
	g.nodes[2].start()
	g.settle(3)
	late := g.nodes[2].admin
	var r *api.Receipt
	within(t, "n2 says that it has it", func() bool {
		r, err = late.Receipt(t.Context(), made.ID)
		return err == nil && r.Confirmations != nil && member(r.Confirmations, "n2").Applied
	})
	if r.ID != made.ID || r.Node != "n1" || r.Service != "shop" || len(r.Selectors) != 1 {
		t.Errorf("%+v %+v", r, r.Confirmations)
	}
	if _, err := late.Revert(t.Context(), made.ID); err == nil || !strings.Contains(err.Error(), "accepted on n1") {
		t.Errorf("the revert says %v, and not where it can be done", err)
	}
	// The node that accepted it is gone too: another member has the receipt.
	g.nodes[0].stop()
	within(t, "n2 has the receipt", func() bool {
		r, err := late.Receipt(t.Context(), made.ID)
		return err == nil && r.Node == "n1"
	})
	if _, err := late.Receipt(t.Context(), "01ARZ3NDEKTSV4RRFFQ69G5FAV"); err == nil || !strings.Contains(err.Error(), "unknown purge") {
		t.Errorf("%v", err)
	}
}
