package cluster

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"
)

// nameQuiet is for how long nobody may have been seen with this node's name
// before a node that met its like serves again: longer than it takes to ask
// every member now and then.
const nameQuiet = 2 * lastRetry

// names is what is known of other nodes with this one's name.
type names struct {
	refusals atomic.Uint64
	met      atomic.Int64 // when an elder one was last seen among the living, by Cluster.now; 0: never
	younger  atomic.Pointer[rival]
}

// rival is a younger node of this one's name, which may not know that.
type rival struct {
	at   netip.AddrPort
	seen time.Duration
}

// foreign tells whether a node of this one's name is another one: a restart at
// the same address is not.
func (m *membership) foreign(p *peer) bool {
	return p.meta.Session != [16]byte(m.c.session) && p.member != m.c.cfg.Advertise
}

// newcomer tells whether this node has not met anybody yet.
func (m *membership) newcomer() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mu.nodes) == 0
}

// taken tells whether a live member elsewhere has a newcomer's name.
func (m *membership) taken(p *peer) bool {
	if p.name == m.c.cfg.Name {
		return m.foreign(p) && !m.newcomer()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	other := m.mu.nodes[p.name]
	return other != nil && other.member != p.member && other.meta.Session != p.meta.Session
}

// refuse has this node not serve, and returns why.
func (m *membership) refuse(other *peer) error {
	err := fmt.Errorf("%w: %s is alive at %v", ErrDuplicateName, other.name, other.member)
	m.names.refusals.Add(1)
	if m.c.health.refused.Swap(&err) == nil {
		m.c.log.Error("this node's name is taken; it does not serve", "name", other.name, "at", other.member)
	}
	return err
}

// accepted ends a refusal once a member has let this node in: refusals is their
// number before that was tried. A node that has met its like among the living
// learns from one member alone nothing of what others know.
func (m *membership) accepted(refusals uint64) {
	met := time.Duration(m.names.met.Load())
	if m.names.refusals.Load() != refusals || met > 0 && m.c.now()-met < nameQuiet {
		return
	}
	if m.c.health.refused.Swap(nil) != nil {
		m.c.log.Info("nobody else has this node's name any more; it serves")
	}
}

// doubtful returns whom to meet because of names: members who may know another
// node of this one's name, a few at a time, where that is what keeps it from
// serving; and a younger one, which is to learn that it is not alone.
func (m *membership) doubtful() (out []target) {
	if m.names.met.Load() > 0 && m.c.health.refused.Load() != nil {
		for _, p := range m.c.someone(tellFirst) {
			out = append(out, target{addr: p.member, met: true})
		}
	}
	if r := m.names.younger.Load(); r != nil && m.c.now()-r.seen < nameQuiet {
		out = append(out, target{addr: r.at, met: true})
	}
	return out
}
