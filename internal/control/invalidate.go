package control

import (
	"net/netip"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// How many invalidations of one service leave a receipt and an event. Anybody
// who may POST causes them, and they must not push an operator's purges out of
// the receipts.
const (
	recordedRate  = 1 // a second
	recordedBurst = 60
)

// Invalidate withdraws targets because a request with an unsafe method
// succeeded on them (RFC 9111 section 4.4): each with all its variants, in any
// spelling and under both schemes. Targets on hosts of other services are left
// alone. It is in force when Invalidate returns, always; only records of it are
// limited.
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
	now, m := c.parts.Now(), marksOf(c.parts.Hasher, svc, selectors)
	receipt := c.apply(svc, m, Receipt{
		Selectors: selectors, Actor: ActorUnsafeMethod, Dialect: "http", Accepted: now,
	})
	c.counts.invalidations.Add(1)
	if !svc.usage.recorded.AllowN(now, 1) {
		c.counts.unrecorded.Add(1)
		return
	}
	c.count(&receipt, m)
	c.ledger.add(receipt)
	c.parts.Sink.Purged(receipt.event(netip.Addr{}))
}
