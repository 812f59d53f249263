package sim

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/control"
)

// settleTime is how long the nodes may take to agree once all is healed: an
// absent member is dialled every 30 seconds, a comparison goes to one at a time.
const settleTime = 4 * time.Minute

// settle heals everything, waits until the nodes agree, and looks what came of it.
func (w *World) settle() {
	w.note("all is healed")
	w.link = simnet.Link{}
	w.connect()
	var all []netip.Addr
	for _, h := range w.all() {
		all = append(all, h.Host.Addr())
		h.Host.SetSlow(0)
		if h.Disk != nil {
			h.Disk.SetFull(false)
			h.Disk.SetSync(0)
		}
	}
	w.net.Block(all, all, false)
	for _, h := range w.all() {
		if h.down() {
			h.start()
		}
	}
	w.doing.Wait() // what clients have asked for
	w.until(time.Minute, w.forgetGone)
	began := time.Now()
	if !w.until(settleTime, w.agree) {
		w.blame("convergence: the nodes do not agree after %v: %s", settleTime, w.dissent())
		return
	}
	w.note("the nodes agree after %v", time.Since(began))
	w.checkStep()
	for _, h := range w.up() {
		w.checkEnd(h)
	}
	w.checkCalm()
	w.checkProofs()
}

// forgetGone has all nodes forget those that have left, as whoever runs them must
// where nobody could record it, and tells whether none is left to forget.
func (w *World) forgetGone() bool {
	done := true
	for _, h := range w.up() {
		for _, gone := range w.some(func(h *host) bool { return h.gone }) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			err := h.Node().Cluster.Forget(ctx, gone.Name)
			cancel()
			done = done && errors.Is(err, cluster.ErrUnknownMember)
		}
	}
	return done
}

// agree tells whether all nodes are ready and know the same.
func (w *World) agree() bool { return w.dissent() == "" }

// dissent says what is still missing.
func (w *World) dissent() string {
	up := w.up()
	for _, h := range up {
		if !h.Node().Cluster.Ready() {
			return h.Name + " is " + h.Node().Cluster.Health().Readiness.String()
		}
		known := h.Node().Journal.Known()
		for _, p := range w.promises() {
			if !p.lost && !knows(known, p.Entry) {
				return h.Name + " lacks entry " + p.Entry.Incarnation.String()[:6]
			}
		}
		if known.Digests().Whole != up[0].Node().Journal.Known().Digests().Whole {
			return h.Name + " knows other entries than " + up[0].Name
		}
		if h.Node().Journal.State().Digest() != up[0].Node().Journal.State().Digest() {
			return h.Name + " has another state than " + up[0].Name
		}
	}
	return ""
}

// checkEnd looks at one node after all has been healed and all have agreed.
func (w *World) checkEnd(h *host) {
	for number := range w.pages {
		f, ok := h.look(number)
		if !ok || !h.serves() {
			continue
		}
		w.mu.Lock()
		var broken *promise
		for _, p := range w.mu.promises {
			if f.began < p.from && p.hardAt(number) {
				broken = p
			}
		}
		w.mu.Unlock()
		if broken != nil {
			w.blame("convergence: at the end %s uses page %d of tick %d, in spite of purge %d of tick %d",
				h.Name, number, f.began, broken.number, broken.from)
		}
	}
	if a := h.watch.marksStand(h.Node().Engine.Service(Service)); a != nil {
		w.blame("revert: at the end purge %v still withdraws something on %s", a.ID, h.Name)
	}
	w.checkTokens(h)
	stats := h.Node().Cluster.Stats()
	w.count(func(c *Counts) { c.Gaps, c.Relayed = c.Gaps+int(stats.Gaps), c.Relayed+int(stats.PassedOn) })
}

// checkTokens looks whether tokens are good, or no good, on a node.
func (w *World) checkTokens(h *host) {
	w.mu.Lock()
	passes := w.mu.passes
	w.mu.Unlock()
	for _, t := range passes {
		_, err := h.Node().Control.Self(control.Credentials{Token: t.secret})
		switch {
		case t.lossy:
		case t.revoked && err == nil:
			w.blame("tokens: %s takes token %s, which was revoked", h.Name, t.name)
		case !t.revoking && err != nil:
			w.blame("tokens: %s does not take token %s: %v", h.Name, t.name, err)
		}
	}
}
