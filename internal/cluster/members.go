package cluster

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// MemberState is how a member is seen from here.
type MemberState uint8

const (
	MemberSelf   MemberState = iota + 1 // this node
	MemberAlive                         // it answers
	MemberAbsent                        // in the roster, and not alive
	MemberNew                           // alive, and not yet in the roster: it is waited for all the same
)

func (s MemberState) String() string {
	switch s {
	case MemberSelf:
		return "self"
	case MemberAlive:
		return "alive"
	case MemberAbsent:
		return "absent"
	case MemberNew:
		return "new"
	}
	return "unknown"
}

// Member is one node of the cluster, as this one knows it.
type Member struct {
	Name    string
	POP     string
	State   MemberState
	Addr    netip.AddrPort // membership
	Version string         // of the program; empty: absent
	Roles   []string
	Policy  Policy
	Disk    bool          // what it acknowledges is on a disk of its own
	RTT     time.Duration // 0: not known
	// Heard is the age of its newest heartbeat that counts; less than 0: none.
	Heard time.Duration
	// Behind is how many of this node's present incarnation's entries it has not
	// acknowledged.
	Behind uint64
}

// Members returns all nodes, in order of name.
func (c *Cluster) Members() []Member {
	v, roster := c.view.Load(), c.roster.current.Load()
	var out []Member
	for name, e := range roster.byName {
		m := Member{Name: name, POP: e.pop, State: MemberAbsent, Addr: e.addr, Policy: e.policy, Disk: e.member.Disk}
		if name == c.cfg.Name {
			m.State, m.Version, m.Roles = MemberSelf, c.cfg.Version, c.cfg.Roles
			m.Disk = c.identity() != diskless(name)
		}
		out = append(out, m)
	}
	for _, p := range v.peers {
		if roster.byName[p.name] == nil {
			out = append(out, Member{Name: p.name, State: MemberNew})
		}
	}
	for i := range out {
		c.describe(&out[i], v)
	}
	slices.SortFunc(out, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (c *Cluster) describe(m *Member, v *view) {
	id := wire.IDOf(m.Name)
	if p := v.byID[id]; p != nil {
		if m.State == MemberAbsent {
			m.State = MemberAlive
		}
		m.POP, m.Addr, m.Version, m.Roles, m.Policy = p.meta.POP, p.member, p.meta.Version, p.meta.Roles, p.meta.Policy
		m.Disk, m.RTT = p.hasDisk(), c.rtt(id)
	}
	if m.State == MemberSelf {
		return
	}
	now := c.cfg.Clock()
	c.heart.Lock()
	age, heard := c.heart.Age(now, id)
	c.heart.Unlock()
	if m.Heard = -1; heard {
		m.Heard = age
	}
	own, issued := c.cfg.Journal.Own()
	c.proof.Lock()
	m.Behind = issued - min(issued, c.proof.Row(own, id).Known().UpTo(issued).Count())
	c.proof.Unlock()
}

// Disks returns how many members, this node included, have a disk for what they
// acknowledge, and the names of those that have none, in order. Members that are
// absent count; those that are not enlisted yet do, too.
func (c *Cluster) Disks() (n int, without []string) {
	for _, m := range c.expected().Members {
		if m.Disk {
			n++
		} else {
			without = append(without, m.Name)
		}
	}
	return n, without
}

// Row returns what a member has acknowledged of an own incarnation.
func (c *Cluster) Row(inc journal.Incarnation, member string) journal.Row {
	c.proof.Lock()
	defer c.proof.Unlock()
	return c.proof.Row(inc, wire.IDOf(member))
}
