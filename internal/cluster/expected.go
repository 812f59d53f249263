package cluster

import (
	"slices"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/proof"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// expected returns whom an entry that is issued now must reach: the roster, and
// as guests those that are alive and not enlisted yet. A node enlists itself
// within a few round trips after it is alive, and what is confirmed in between
// must not leave it out.
func (c *Cluster) expected() *proof.Roster { return c.roster.expected.Load() }

// compared notes that a member has told this node who is in the roster.
func (c *Cluster) compared(asked time.Duration, id wire.ID) {
	c.proof.Lock()
	defer c.proof.Unlock()
	c.proof.Compared(asked, id)
}

// expect takes over a change of the roster, or of who is alive.
func (c *Cluster) expect() {
	c.roster.expecting.Lock()
	defer c.roster.expecting.Unlock()
	roster := c.roster.today()
	var guests []proof.Member
	for _, p := range c.view.Load().peers {
		if !roster.Has(p.id) {
			guests = append(guests, proof.Member{
				ID: p.id, Name: p.name, POP: p.meta.POP, Policy: p.meta.Policy, After: p.meta.After,
				Disk: p.hasDisk(), Guest: true, HoldsBack: p.meta.HoldsBack,
			})
		}
	}
	if len(guests) > 0 {
		members := append(slices.Clone(roster.Members), guests...)
		slices.SortFunc(members, func(a, b proof.Member) int { return strings.Compare(a.Name, b.Name) })
		roster = proof.NewRoster(c.self, members)
	}
	c.roster.expected.Store(roster)
}
