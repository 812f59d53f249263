package control

import (
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Invalidate withdraws targets because a request with an unsafe method
// succeeded on them (RFC 9111 section 4.4): each with all its variants, in any
// spelling and under both schemes. Targets on hosts of other services are left
// alone. It is in force when Invalidate returns. It is counted and leaves no
// receipt: anybody who may POST causes it, and a busy shop's would push an
// operator's own purges out of the receipts.
func (c *Control) Invalidate(serviceID string, targets []field.Target) {
	st := c.state.Load()
	svc := st.services[serviceID]
	if svc == nil {
		return // a reload took the service away; nothing of it is served
	}
	selectors := st.selectorsFor(svc, targets)
	for len(selectors) > 0 {
		batch := selectors[:min(len(selectors), purge.MaxKeys)]
		selectors = selectors[len(batch):]
		c.invalidate(svc, batch)
	}
}

func (st *state) selectorsFor(svc *service, targets []field.Target) []purge.Selector {
	seen := make(map[field.Target]bool, len(targets))
	var selectors []purge.Selector
	for _, t := range targets {
		t.Scheme = ""
		if owner, err := st.serviceOfHost(t.Host); err != nil || owner != svc.ID || seen[t] {
			continue
		}
		seen[t] = true
		selectors = append(selectors, purge.Selector{Kind: purge.ByURL, Target: t})
	}
	return selectors
}

func (c *Control) invalidate(svc *service, selectors []purge.Selector) {
	m, now := marksOf(c.parts.Hasher, svc, selectors), c.parts.Now()
	apply := func(at field.Position) {
		c.parts.Engine.Apply(now.UnixNano(), purge.Purge{
			ID: purge.NewID(now.UnixMilli()), Service: svc.ID, Tags: m.tags, Effect: purge.Effect{At: now.UnixNano()},
			All: m.everything, Position: at,
		})
	}
	if c.parts.Journal.Advance(apply) != nil {
		apply(0) // the journal is closing, or its disk takes nothing
	}
	c.counts.invalidations.Add(1)
}

// InvalidateKeys withdraws what carries surrogate keys because the origin's
// answer to a request with an unsafe method said so (RFC 9875 section 3). In all
// else it is like Invalidate. Keys that no object can carry are left out.
func (c *Control) InvalidateKeys(serviceID string, keys []string) {
	svc := c.state.Load().services[serviceID]
	if svc == nil {
		return
	}
	var selectors []purge.Selector
	for _, key := range keys[:min(len(keys), purge.MaxKeys)] {
		if s, err := purge.Key(key); err == nil {
			selectors = append(selectors, s)
		}
	}
	if len(selectors) > 0 {
		c.invalidate(svc, selectors)
	}
}
