package cluster

import (
	"net/netip"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/spread"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// peer is another member that is alive, as its membership says.
type peer struct {
	id     wire.ID
	name   string
	member netip.AddrPort // membership
	spread netip.AddrPort // packets and streams of entries
	meta   wire.Meta
}

// view is who is alive. It never changes; a new one takes its place.
type view struct {
	peers     []*peer // in order of name
	byID      map[wire.ID]*peer
	bySession map[seal.Session]*peer
	byAddr    map[netip.AddrPort]*peer
}

func newView(peers []*peer) *view {
	v := &view{
		peers: peers, byID: make(map[wire.ID]*peer), bySession: make(map[seal.Session]*peer),
		byAddr: make(map[netip.AddrPort]*peer),
	}
	for _, p := range peers {
		v.byID[p.id], v.bySession[p.meta.Session], v.byAddr[p.spread] = p, p, p
	}
	return v
}

func (v *view) byName(name string) *peer { return v.byID[wire.IDOf(name)] }

// membersChanged takes over who is alive, and asks those who are new what they
// know.
func (c *Cluster) membersChanged() {
	old, fresh := c.view.Load(), newView(c.member.alive())
	c.view.Store(fresh)
	c.expect()
	members := make([]spread.Member, 0, len(fresh.peers))
	for _, p := range fresh.peers {
		members = append(members, spread.Member{ID: p.id, POP: p.meta.POP})
	}
	c.core.Lock()
	c.core.SetMembers(members)
	for id := range c.core.rtts {
		if fresh.byID[id] == nil {
			delete(c.core.rtts, id)
		}
	}
	c.core.Unlock()
	for _, p := range fresh.peers {
		if was := old.byID[p.id]; was == nil || was.meta.Session != p.meta.Session {
			c.ping(p)
			c.rounds.ask(p.id)
			c.member.hurry()
			c.dialer.forget(p.name, p.meta.Session)
		}
	}
}
