package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/sweep"
)

// browse has clients ask some nodes for some pages.
func (w *World) browse() {
	for range 1 + w.rng.IntN(6) {
		h := w.oneOf((*host).serves)
		if h == nil {
			return
		}
		number, takes := w.rng.IntN(len(w.pages)), randomTime(w.rng, 0, 300*time.Millisecond)
		if _, ok := h.look(number); !ok || !h.trusts() {
			h.fetch(number, takes)
			w.count(func(c *Counts) { c.Fetched++ })
		}
	}
}

// purge has a client purge something, and sometimes wait for others.
func (w *World) purge() {
	h := w.oneOf((*host).serves)
	if h == nil {
		return
	}
	n := h.Node()
	for range 1 + w.rng.IntN(3)*w.rng.IntN(2) {
		p := w.promiseOf(h)
		r := control.Request{Service: Service, Selectors: w.anySelectors(), Effect: anyEffect(w.rng), Dialect: "sim"}
		level := []control.Level{control.WaitNone, control.WaitPeer, control.WaitPOP, control.WaitAll}[w.rng.IntN(4)]
		patience := randomTime(w.rng, 100*time.Millisecond, 5*second)
		w.doing.Go(func() { w.purgeAt(p, n, r, level, patience) })
	}
	// In half of all cases the purge is under way when the next thing happens.
	if w.rng.IntN(2) == 0 {
		time.Sleep(50 * time.Millisecond)
	}
}

// promiseOf returns what will be a promise if a node of the host answers with
// success.
func (w *World) promiseOf(h *host) *promise {
	return &promise{issuer: h, told: map[*host]int64{}, owed: map[*host]bool{}}
}

// promised takes note of a promise, and returns its number.
func (w *World) promised(p *promise) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.number = len(w.mu.promises)
	p.told[p.issuer], p.owed[p.issuer] = w.ticks.Add(1), true
	w.mu.promises = append(w.mu.promises, p)
	w.mu.counts.Purges++
	return p.number
}

// purgeAt asks a node for a purge, of which it makes a promise once that is answered.
func (w *World) purgeAt(p *promise, n *Node, r control.Request, level control.Level, patience time.Duration) {
	h := p.issuer
	p.from = w.ticks.Add(1)
	w.count(func(c *Counts) { p.wipes = c.Wipes })
	for _, m := range n.Cluster.Members() {
		if m.State == cluster.MemberAlive || m.State == cluster.MemberNew {
			p.alive = append(p.alive, m.Name)
		}
	}
	receipt, err := n.Control.Purge(Local(), r)
	if n.Over() {
		return // nobody was there any more to get the answer
	}
	if err != nil {
		w.note("%s refuses to purge: %v", h.Name, err)
		return
	}
	p.Receipt = receipt
	for _, page := range w.pages {
		hit := false
		for _, s := range r.Selectors {
			hit = hit || selects(s, page)
		}
		p.pages = append(p.pages, hit)
	}
	w.promised(p)
	w.note("%s: purge %d of %v, %v, is entry %v/%d", h.Name, p.number, r.Selectors, r.Effect.Mode, receipt.Entry.Incarnation.String()[:6], receipt.Entry.Seq)
	if level == control.WaitNone {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	missing, err := n.Control.Wait(ctx, receipt, level)
	if err == nil && !n.Over() {
		w.note("%s: purge %d waited for %s, missing %v", h.Name, p.number, level, missing)
		w.waited(n, p, level, missing)
	}
}

// revert has a client take a purge back.
func (w *World) revert() {
	h := w.oneOf((*host).serves)
	all := w.promises()
	if h == nil || len(all) == 0 {
		return
	}
	back := min(len(all), 1+w.rng.IntN(6))
	p := all[len(all)-back]
	n := h.Node()
	w.mu.Lock()
	p.reverts++ // it may be from now on
	w.mu.Unlock()
	w.doing.Go(func() {
		var done control.Reverted
		var err error
		n.atDesk(func() { done, err = n.Control.Revert(Local(), p.ID) })
		if n.Over() {
			return
		}
		if errors.Is(err, control.ErrUnknownPurge) || errors.Is(err, control.ErrTooLate) {
			w.note("%s does not revert purge %d: %v", h.Name, p.number, err)
			w.mu.Lock()
			p.reverts-- // its caller was told that the purge stands
			w.mu.Unlock()
			return
		}
		w.note("%s: revert of purge %d: %v, %v", h.Name, p.number, done.Outcome, err)
		w.count(func(c *Counts) { c.Reverts++ })
	})
}

// createToken has somebody on a node's host make a token.
func (w *World) createToken() {
	h := w.oneOf((*host).serves)
	if h == nil {
		return
	}
	// Few names, so that nodes that are apart give away the same.
	n, name := h.Node(), fmt.Sprint("t", w.rng.IntN(6))
	w.doing.Go(func() {
		var info control.TokenInfo
		var secret string
		var err error
		n.atDesk(func() {
			info, secret, err = n.Control.CreateToken(Local(), control.NewTokenSpec{Name: name, Scopes: []string{"global"}})
		})
		if n.Over() || err != nil {
			return
		}
		w.mu.Lock()
		w.mu.passes = append(w.mu.passes, &pass{id: info.ID, secret: secret, name: name, creator: h})
		w.mu.Unlock()
		w.note("%s: token %s", h.Name, name)
	})
}

// revokeToken has somebody revoke a token on any node.
func (w *World) revokeToken() {
	h := w.oneOf((*host).serves)
	w.mu.Lock()
	all := w.mu.passes
	w.mu.Unlock()
	if h == nil || len(all) == 0 {
		return
	}
	p, n := all[w.rng.IntN(len(all))], h.Node()
	w.mu.Lock()
	p.revoking = true
	w.mu.Unlock()
	w.doing.Go(func() {
		var err error
		n.atDesk(func() { _, err = n.Control.RevokeToken(Local(), p.id) })
		if n.Over() || err != nil {
			return
		}
		w.mu.Lock()
		p.revoked, p.revoker, p.lossy = true, h, false
		w.mu.Unlock()
		w.note("%s: token %s is revoked", h.Name, p.name)
	})
}

// sweep has a node's sweeper make a pass. It goes by the machine's clock, which
// the simulation cannot set wrong for it.
func (w *World) sweep() {
	h := w.oneOf(func(h *host) bool { return h.running() && h.Clock.right() })
	if h == nil {
		return
	}
	s := sweep.Sweeper{Store: h.Node().Store, Engine: h.Node().Engine}
	s.Pass(context.Background())
}

// maintain has a node's journal drop what need not be kept.
func (w *World) maintain() {
	if h := w.oneOf((*host).running); h != nil {
		if err := h.Node().Journal.Maintain(); err != nil {
			w.note("%s cannot maintain its journal: %v", h.Name, err)
		}
	}
}

func (w *World) promises() []*promise {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.promises
}

func (w *World) count(f func(*Counts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.mu.counts)
}
