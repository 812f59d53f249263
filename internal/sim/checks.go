package sim

import (
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
)

// checkStep looks after each step whether every node keeps what is promised.
func (w *World) checkStep() {
	vectors := w.vectors()
	for _, h := range w.up() {
		for number := range w.pages {
			if h.serves() {
				w.checkPage(h, number)
			}
		}
		w.checkReceipts(h, vectors)
	}
	w.countHolders(vectors)
}

// checkStarts looks whether nodes that find each other are ready too early: who was
// told whom to join and has nobody in its roster has not heard what there is.
func (w *World) checkStarts() {
	for _, h := range w.up() {
		n := h.Node()
		health := n.Cluster.Health()
		if health.Readiness == cluster.Ready && len(h.Join) > 0 && (health.Roster < 2 || !n.Journal.Complete()) {
			w.blame("start: %s is ready with a roster of %d, its state complete: %v", h.Name, health.Roster, n.Journal.Complete())
		}
	}
}

// checkPage has a client ask a node for a page, if the node would answer from its
// store.
func (w *World) checkPage(h *host, number int) {
	asked, connected := w.ticks.Add(1), h.connected()
	f, ok := h.look(number)
	if !ok {
		return
	}
	w.count(func(c *Counts) { c.Served++ })
	// Promise 1, by what took effect on the node itself.
	if a := h.watch.forbids(h.tags[number], f.began, asked, f.fresh); a != nil {
		w.blame("visibility: %s uses page %d of tick %d at tick %d, in spite of purge %v of ticks %d to %d",
			h.Name, number, f.began, asked, a.ID, a.from, a.to)
	}
	now := time.Now()
	w.mu.Lock()
	var told, many *promise
	for _, p := range w.mu.promises {
		if f.began >= p.from || !p.hardAt(number) {
			continue
		}
		if at, ok := p.told[h]; ok && at < asked {
			told = p
		}
		if connected && w.fixed.Load() && !p.many.IsZero() && now.Sub(p.many) > w.base.Isolation.After {
			many = p
		}
	}
	w.mu.Unlock()
	// Promise 6: what a receipt says has happened.
	if told != nil {
		w.blame("receipt: %s uses page %d of tick %d, and purge %d of tick %d is told to be applied there",
			h.Name, number, f.began, told.number, told.from)
	}
	// Section 5 of the promises' text: who is not isolated knows what a majority
	// knew when the oldest heartbeat that it counts was sent.
	if many != nil {
		w.blame("isolation: %s has page %d of tick %d, and a majority has had purge %d for longer than %v",
			h.Name, number, f.began, many.number, w.base.Isolation.After)
	}
}

// vectors returns what each host's disk has, or its memory where it has none.
func (w *World) vectors() map[*host]journal.Vector {
	out := make(map[*host]journal.Vector)
	for _, h := range w.all() {
		out[h] = h.Durable()
	}
	return out
}

// checkReceipts reads the receipts of a node and looks whether they are true.
func (w *World) checkReceipts(h *host, vectors map[*host]journal.Vector) {
	for _, p := range w.promises() {
		if p.issuer != h {
			continue
		}
		progress, ok := h.Node().Control.Progress(p.Receipt)
		if !ok {
			continue
		}
		for _, c := range progress.Members {
			if c.Applied {
				w.tell(p, c.Member, vectors)
			}
		}
	}
}

// waited looks whether what a caller was told who waited is true.
func (w *World) waited(n *Node, p *promise, level control.Level, missing []string) {
	if len(missing) > 0 {
		return // who has confirmed is in the receipt
	}
	switch level {
	case control.WaitPeer:
		w.waitedPeer(n, p)
	case control.WaitAll:
		w.waitedAlive(p)
		progress, _ := n.Control.Progress(p.Receipt)
		for _, c := range progress.Members {
			if !c.Applied && !w.mayBeFenced() && !w.neverReady(n, p, c.Member) {
				w.blame("receipt: purge %d was confirmed by all, and %s has not", p.number, c.Member)
			}
		}
	}
}

// waitedPeer looks whether a second disk has a purge of which that was said.
func (w *World) waitedPeer(n *Node, p *promise) {
	w.mu.Lock()
	wiped := w.mu.counts.Wipes != p.wipes
	w.mu.Unlock()
	if wiped || !w.fixed.Load() {
		return // who has confirmed may have lost it since, or may have left
	}
	for o, v := range w.vectors() {
		if o != p.issuer && o.Disk != nil && knows(v, p.Entry) {
			return
		}
	}
	var said []string
	progress, _ := n.Control.Progress(p.Receipt)
	for _, c := range progress.Members {
		if c.Applied {
			said = append(said, c.Member)
		}
	}
	w.blame("receipt: %s says that a peer, %v, has purge %d, and none has", p.issuer.Name, said, p.number)
}

// waitedAlive looks whether what was confirmed by all is on the disks of those that
// were alive when it was accepted, enlisted or not.
func (w *World) waitedAlive(p *promise) {
	vectors := w.vectors()
	w.mu.Lock()
	wiped := w.mu.counts.Wipes != p.wipes
	w.mu.Unlock()
	if wiped || !w.same.Load() || w.base.Isolation.Policy == cluster.PolicyRefuse {
		return
	}
	for _, o := range w.all() {
		if slices.Contains(p.alive, o.Name) && !knows(vectors[o], p.Entry) && !w.neverReady(p.issuer.Node(), p, o.Name) {
			w.blame("receipt: %s was told that all have purge %d, and %s, which was alive, has not", p.issuer.Name, p.number, o.Name)
		}
	}
}

// neverReady tells whether a member need not confirm, since it had only just started
// and is not ready without the purge.
func (w *World) neverReady(issuer *Node, p *promise, name string) bool {
	for _, c := range issuer.Cluster.Progress(p.Entry).Members {
		if c.Member.Name != name || !c.Member.Guest {
			continue
		}
		for _, h := range w.all() {
			if h.Name == name && h.running() && h.Node().Cluster.Ready() && !h.Node().Journal.Known().Knows(p.Entry) {
				return false
			}
		}
		return true
	}
	return false
}

// mayBeFenced tells whether a member need not confirm, since it has left or serves
// nothing.
func (w *World) mayBeFenced() bool {
	return !w.fixed.Load() || w.base.Isolation.Policy == cluster.PolicyRefuse
}

// tell takes note that a member is said to have applied a purge.
func (w *World) tell(p *promise, member string, vectors map[*host]journal.Vector) {
	for _, o := range w.all() {
		if o.Name != member {
			continue
		}
		w.mu.Lock()
		_, known := p.told[o]
		if !known {
			p.told[o] = w.ticks.Add(1)
			w.mu.counts.Confirmed++
		}
		w.mu.Unlock()
		if known || vectors[o] == nil {
			return
		}
		// It was so when the vectors were read, or the disk was lost since it was
		// confirmed, which may have been on its way for seconds.
		if knows(vectors[o], p.Entry) {
			w.mu.Lock()
			p.owed[o] = true
			w.mu.Unlock()
		} else if n := o.Node(); n != nil && !knows(n.Journal.Durable(), p.Entry) && !o.forgets() && o.lost < p.from {
			w.blame("receipt: %s is said to have purge %d, and does not have it on disk", o.Name, p.number)
		}
	}
}

// checkOwed looks whether a disk still has what was acknowledged, after a start.
func (w *World) checkOwed(h *host) {
	known := h.Node().Journal.Known()
	w.mu.Lock()
	var missing []*promise
	for _, p := range w.mu.promises {
		if p.owed[h] && !knows(known, p.Entry) {
			missing = append(missing, p)
		}
	}
	w.mu.Unlock()
	for _, p := range missing {
		w.blame("acknowledged: %s has lost purge %d in a crash", h.Name, p.number)
	}
}

// countHolders takes note since when a majority has each purge on disk.
func (w *World) countHolders(vectors map[*host]journal.Vector) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.mu.promises {
		n := 0
		for _, v := range vectors {
			if knows(v, p.Entry) {
				n++
			}
		}
		switch {
		case n <= len(vectors)/2:
			p.many = time.Time{}
		case p.many.IsZero():
			p.many = now
		}
	}
}
