package cluster

import (
	"github.com/rescind-edge/rescind/internal/cluster/spread"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

// settle declares the replicated state complete where nobody else can: on the
// first node, or on one of several that were started together.
func (c *Cluster) settle() {
	if c.complete() {
		c.settleAlone()
		return
	}
	if c.first() || c.firstAmongNew() {
		if err := c.cfg.Journal.Found(); err != nil {
			c.log.Error("the state of the first node could not be recorded", "error", err)
			return
		}
		c.applied(spread.Debt{})
		c.settleAlone()
		c.stateTouched() // those who wait for a complete state are to ask now
	}
}

// settleAlone lets the first node enlist without having been told of others.
func (c *Cluster) settleAlone() {
	if c.first() {
		c.health.told.Store(true)
	}
}

// first tells whether this node has nobody to join, and knows of nobody.
func (c *Cluster) first() bool {
	if len(c.cfg.Join) > 0 && !c.member.onlySelf.Load() {
		return false
	}
	m, _ := c.cfg.Journal.State()
	for _, item := range m.Live(state.KindMember) {
		if e, ok := parseEntry(item); !ok || e.name != c.cfg.Name {
			return false
		}
	}
	return true
}

// firstAmongNew tells whether this node, which has exchanged with every member
// that it can reach and with a majority, found none whose state is complete: the
// cluster is new. Of those that answer the one whose name comes first speaks.
// Should two halves of a new cluster both do so, their states merge when they
// meet.
func (c *Cluster) firstAmongNew() bool {
	reachable, majority := c.exchanged()
	if !c.health.told.Load() || !reachable || !majority {
		return false
	}
	c.rounds.mu.Lock()
	defer c.rounds.mu.Unlock()
	met := false
	for _, p := range c.view.Load().peers {
		if c.rounds.mu.since[p.id] {
			met = true
			if p.name < c.cfg.Name {
				return false
			}
		}
	}
	return met
}
