//go:build e2e

package test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/api"
)

func TestRevertBringsBackWhatIsStored(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	paths := []string{"/products/1.html", "/products/2.html", "/about.html"}
	n := startNode(t, settings{origin: origin.url()})
	for _, path := range paths {
		origin.write(path, path)
		n.get(path)
	}
	n.cli("purge", "--service", "shop", "--key", "product-2").done(t)
	receipt := purgedID(t, n.cli("purge", "--service", "shop", "--all", "--json", "--note", "by mistake").done(t))
	asked := n.asked()

	if got := n.cli("revert", receipt).done(t); got != receipt+": undone\n" {
		t.Errorf("revert said %q", got)
	}
	expect(t, "a page", n.get(paths[0]), "200 HIT "+paths[0])
	expect(t, "another page", n.get(paths[2]), "200 HIT "+paths[2])
	if now := n.asked(); now != asked {
		t.Errorf("the origin was asked %d times for what is still stored", now-asked)
	}
	expect(t, "what another purge took", n.get(paths[1]), "200 MISS "+paths[1])
	if got := n.cli("revert", receipt).done(t); got != receipt+": had been undone before\n" {
		t.Errorf("a second revert said %q", got)
	}
	if got := n.cli("purges", receipt).done(t); !strings.Contains(got, "hard, reverted") {
		t.Errorf("the list says of it: %s", got)
	}
}

func TestRevertAfterTheUndoWindow(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/page.html", "content")
	n := startNode(t, settings{origin: origin.url(), service: "purge: {undo_window: 1ms}\n"})
	n.get("/page.html")
	receipt := purgedID(t, n.cli("purge", "--service", "shop", "--all", "--json").done(t))
	got := n.cli("revert", receipt)
	if got.code != 1 || !strings.Contains(got.err, "nothing needs to be done") {
		t.Errorf("exit code %d: %s", got.code, got.err)
	}
	expect(t, "the page", n.get("/page.html"), "200 MISS content")
}

// purgedID reads the receipt that --json prints.
func purgedID(t *testing.T, out string) string {
	t.Helper()
	var receipt api.Receipt
	if err := json.Unmarshal([]byte(out), &receipt); err != nil || receipt.ID == "" {
		t.Fatalf("no receipt in %q: %v", out, err)
	}
	return receipt.ID
}
