package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// A node is not ready before a majority has it in the roster, and has told it
// after that all that it knew. So whoever has asked a majority for their state, after
// they had an entry, and finds a node that has vanished in nobody's roster, knows
// that the node has never been ready without that entry: see proof.

// introduceRest lies between two attempts to have this node in the rosters of others.
// Most have it from the news before the second.
const introduceRest = 250 * time.Millisecond

// known tells whether a member has this node in its roster, as far as is known.
func (r *rounds) known(id wire.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.knows[id]
}

// meet notes that a member has this node in its roster, and has answered in full
// since.
func (r *rounds) meet(id wire.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.knows[id], r.mu.met[id] = true, true
}

// introduced tells whether a majority of the roster has this node in theirs, and has
// answered in full since; else it returns who has not.
func (c *Cluster) introduced() (enough bool, rest []wire.ID) {
	all := c.roster.today()
	c.rounds.mu.Lock()
	defer c.rounds.mu.Unlock()
	n := 1
	for i := range all.Members {
		switch id := all.Members[i].ID; {
		case id == c.self:
		case c.rounds.mu.met[id]:
			n++
		default:
			rest = append(rest, id)
		}
	}
	return n >= all.Majority(), rest
}

// introduce gives this node's state to members that may not have it in their roster
// yet, and asks them what they know, until a majority has answered.
func (c *Cluster) introduce() {
	for !c.health.joined() {
		enough, rest := c.introduced()
		if enough {
			return
		}
		v := c.view.Load()
		var wg sync.WaitGroup
		for _, id := range rest[:min(len(rest), c.roster.today().Majority())] {
			p := v.byID[id]
			switch {
			case p == nil:
			case c.rounds.known(id):
				c.rounds.retry(id)
			default:
				wg.Go(func() { c.giveTo(p) })
			}
		}
		wg.Wait()
		if !c.pause(introduceRest) {
			return
		}
	}
}

func (c *Cluster) giveTo(p *peer) {
	ctx, cancel := context.WithTimeout(c.ctx, requestTimeout)
	defer cancel()
	if given, err := c.give(ctx, []*peer{p}); given == 0 {
		c.log.Debug("a member could not be told of this node", "member", p.name, "error", err)
		c.rounds.retry(p.id) // it may have heard by itself
		return
	}
	c.rounds.mu.Lock()
	c.rounds.mu.knows[p.id] = true
	c.rounds.mu.Unlock()
	c.rounds.retry(p.id)
}
