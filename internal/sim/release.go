package sim

import (
	"context"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/purge"
)

// kindOfLater is a kind of entry that no release knows yet.
const kindOfLater journal.Kind = 1 << 20

// laterRelease has a node issue what a later release might, which none of the
// others understands: an entry of a kind that is not known, which every node must
// keep and pass on, or a purge that cannot be read, which must withdraw everything.
func (w *World) laterRelease() {
	h := w.oneOf((*host).serves)
	if h == nil {
		return
	}
	d := journal.Draft{Kind: kindOfLater, Body: []byte("of a later release")}
	if w.rng.IntN(2) == 0 {
		d = journal.Draft{Kind: journal.KindPurge, Body: []byte("of a later release")}
	}
	p, n := w.promiseOf(h), h.Node()
	w.doing.Go(func() {
		p.from = w.ticks.Add(1)
		w.count(func(c *Counts) { p.wipes = c.Wipes })
		step, ticket, err := n.Journal.Append(d)
		if err != nil {
			return
		}
		n.Cluster.Publish([]journal.Entry{step.Entry})
		if ticket.Wait(context.Background()) != nil || n.Over() {
			return
		}
		p.Receipt = control.Receipt{Entry: step.Entry.ID, Node: h.Name}
		for range w.pages {
			p.pages = append(p.pages, d.Kind == journal.KindPurge)
		}
		number := w.promised(p)
		w.note("%s issues %v of a later release as purge %d", h.Name, d.Kind, number)
	})
}

// burstLength is how many purges come at once.
const burstLength = 100

// burst has a client make many purges one after the other, without a pause. In
// half of all cases the disk is full for some of them.
func (w *World) burst() {
	h := w.oneOf((*host).serves)
	if h == nil {
		return
	}
	n, disk, fills := h.Node(), h.Disk, w.rng.IntN(2) == 0 && h.Disk != nil
	full := w.rng.IntN(burstLength / 2)
	w.note("%s: a burst of purges, its disk is full meanwhile: %v", h.Name, fills)
	w.count(func(c *Counts) { c.Bursts++ })
	var all []control.Request
	for range burstLength {
		all = append(all, control.Request{Service: Service, Selectors: w.anySelectors(), Effect: purge.Effect{}, Dialect: "sim"})
	}
	var promises []*promise
	for range all {
		promises = append(promises, w.promiseOf(h))
	}
	w.doing.Go(func() {
		for i, r := range all {
			if fills {
				disk.SetFull(i >= full && i < full+burstLength/2)
			}
			if !n.Over() {
				w.purgeAt(promises[i], n, r, control.WaitNone, 0)
			}
		}
	})
}
