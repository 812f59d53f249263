package control

import "sync/atomic"

// Stats count what a Control has done since it was made.
type Stats struct {
	Purges        uint64 // accepted from callers
	Reverts       uint64 // that changed something
	Denied        uint64 // turned down for any reason
	Limited       uint64 // of those, for a service's limit
	Invalidations uint64 // purges that the node made after unsafe methods
	Received      uint64 // accepted by other nodes, and applied here
	Gaps          uint64 // times that everything was withdrawn, because entries were lost
}

type counts struct {
	purges, reverts, denied, limited, invalidations, received, gaps atomic.Uint64

	suppressed atomic.Uint64 // denials since the last one reported
}

// Stats returns the counters.
func (c *Control) Stats() Stats {
	return Stats{
		Purges:        c.counts.purges.Load(),
		Reverts:       c.counts.reverts.Load(),
		Denied:        c.counts.denied.Load(),
		Limited:       c.counts.limited.Load(),
		Invalidations: c.counts.invalidations.Load(),
		Received:      c.counts.received.Load(),
		Gaps:          c.counts.gaps.Load(),
	}
}
