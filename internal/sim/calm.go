package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/purge"
)

const (
	// calmAfter is how long all is well before spreading is measured: members
	// have been heard again, and round trips are known.
	calmAfter = 30 * time.Second
	// ghostTime is how long a node that has left without having been heard may be
	// taken for alive by one that hears of it late. It is waited for like others.
	ghostTime = 3 * time.Minute
	// spreadSlack is what spreading may take beyond the way. A packet is lost in
	// none of these runs, and comparison comes a second later.
	spreadSlack = 50 * time.Millisecond
	// proofTime is how long all may take to confirm: they gather
	// acknowledgements for a fraction of a second.
	proofTime = 5 * time.Second
)

// checkCalm looks whether purges arrive in about the time of the way where
// nothing is wrong, and whether everybody confirms them.
func (w *World) checkCalm() {
	time.Sleep(calmAfter)
	w.until(ghostTime, w.noGhosts)
	h := w.oneOf((*host).serves)
	if h == nil {
		return
	}
	n := h.Node()
	r := control.Request{Service: Service, Selectors: []purge.Selector{purge.All()}, Dialect: "sim"}
	receipt, err := n.Control.Purge(Local(), r)
	if err != nil {
		w.blame("spread: at the end %s refuses to purge: %v", h.Name, err)
		return
	}
	later, _, err := n.Journal.Append(journal.Draft{Kind: kindOfLater})
	if err != nil {
		w.blame("spread: at the end %s issues nothing: %v", h.Name, err)
		return
	}
	n.Cluster.Publish([]journal.Entry{later.Entry})
	took := w.longestWay() + spreadSlack
	time.Sleep(took)
	for _, o := range w.up() {
		known := o.Node().Journal.Known()
		if !knows(known, receipt.Entry) {
			w.blame("spread: at the end %s lacks a purge of %s after %v", o.Name, h.Name, took)
		}
		if !knows(known, later.Entry.ID) {
			w.blame("spread: at the end %s lacks an entry of a later release of %s after %v", o.Name, h.Name, took)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), proofTime)
	defer cancel()
	if missing, err := n.Control.Wait(ctx, receipt, control.WaitAll); err != nil || len(missing) > 0 {
		w.blame("proof: at the end %v have not confirmed a purge of %s after %v: %v", missing, h.Name, proofTime, err)
	}
}

// noGhosts tells whether nobody takes a node for alive that does not run.
func (w *World) noGhosts() bool {
	runs := make(map[string]bool)
	for _, h := range w.up() {
		runs[h.Name] = true
	}
	for _, h := range w.up() {
		for _, m := range h.Node().Cluster.Members() {
			if alive := m.State == cluster.MemberAlive || m.State == cluster.MemberNew; alive && !runs[m.Name] {
				return false
			}
		}
	}
	return true
}

// receiptTime is how long receipts may take to be complete once all is well. What
// members fetched by comparison, or an issuer has forgotten in a restart, they
// confirm when it next asks them by stream, which it does with one of them at
// random in every fifth round.
const receiptTime = 5 * time.Minute

// checkProofs looks whether receipts say of everybody that he has applied a purge,
// also those from before the issuer's restart.
func (w *World) checkProofs() {
	if !w.fixed.Load() {
		return // who has left confirms nothing
	}
	missing := ""
	if !w.until(receiptTime, func() bool { missing = w.unproven(); return missing == "" }) {
		w.blame("proof: at the end, after %v, %s", receiptTime, missing)
	}
}

// unproven says what receipts do not know yet.
func (w *World) unproven() string {
	for _, p := range w.promises() {
		if !p.issuer.running() || p.issuer.lost > p.from || p.lost {
			continue
		}
		progress, ok := p.issuer.Node().Control.Progress(p.Receipt)
		if !ok {
			return fmt.Sprintf("%s has no receipt of purge %d", p.issuer.Name, p.number)
		}
		for _, c := range progress.Members {
			if !c.Applied && w.kept(c.Member) {
				return fmt.Sprintf("%s does not know that %s has purge %d", p.issuer.Name, c.Member, p.number)
			}
		}
	}
	return ""
}

// kept tells whether a node runs that is the same member as ever.
func (w *World) kept(name string) bool {
	return len(w.some(func(h *host) bool { return h.Name == name && h.running() && h.lost == 0 })) > 0
}

// longestWay returns how long a packet takes at most between two nodes, and
// through a third where there are relays.
func (w *World) longestWay() (longest time.Duration) {
	for _, d := range w.delays {
		longest = max(longest, d)
	}
	if w.base.RelayFrom > 0 || w.cfg.Nodes > 0 {
		longest *= 2
	}
	return longest
}
