package sim

import (
	"context"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/purge"
)

const (
	// calmAfter is how long all is well before spreading is measured: members
	// have been heard again, and round trips are known.
	calmAfter = 30 * time.Second
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
