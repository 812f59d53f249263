package cluster

import (
	"fmt"
	"log"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// membership is memberlist: who is alive, and nothing else.
type membership struct {
	c         *Cluster
	list      *memberlist.Memberlist
	keys      *memberlist.Keyring
	transport *transport
	onlySelf  atomic.Bool // all addresses to join turned out to be this node's own
	names     names
	changed   chan struct{}
	found     []netip.AddrPort // configured addresses, names looked up; keepJoined's
	foundAt   time.Time
	mu        struct {
		sync.Mutex
		nodes map[string]*peer
		dials map[string]*attempt // by address
		done  map[wire.ID]bool    // members of the roster that were dialled
		join  []netip.AddrPort    // as found was last; nil: not yet
	}
}

// newMembership starts memberlist.
func newMembership(c *Cluster) (*membership, error) {
	m := &membership{c: c, changed: make(chan struct{}, 1)}
	m.mu.nodes = make(map[string]*peer)
	m.mu.dials = make(map[string]*attempt)
	m.mu.done = make(map[wire.ID]bool)
	keys := c.ring.Load().Membership()
	var err error
	if m.keys, err = memberlist.NewKeyring(keys, keys[0]); err != nil {
		return nil, err
	}
	if m.transport, err = newTransport(c); err != nil {
		return nil, err
	}
	if m.list, err = memberlist.Create(m.settings()); err != nil {
		_ = m.transport.Shutdown()
		return nil, err
	}
	return m, nil
}

// settings are those of memberlist for a network around the world: round trips
// of up to 400 ms are usual, and a dead member costs nothing but a few packets,
// since nobody waits for it.
func (m *membership) settings() *memberlist.Config {
	s := memberlist.DefaultLANConfig()
	s.Name = m.c.cfg.Name
	s.Transport = m.transport
	s.BindAddr, s.BindPort = m.c.cfg.Bind.Addr().String(), int(m.c.cfg.Bind.Port())
	s.AdvertiseAddr, s.AdvertisePort = m.c.cfg.Advertise.Addr().String(), int(m.c.cfg.Advertise.Port())
	s.Keyring = m.keys
	s.ProbeInterval, s.ProbeTimeout = 2*time.Second, time.Second
	s.SuspicionMult = 3
	s.TCPTimeout = 5 * time.Second
	s.PushPullInterval = 30 * time.Second
	s.GossipToTheDeadTime = time.Minute
	s.UDPBufferSize = seal.MaxPacket
	s.DeadNodeReclaimTime = time.Second // a node that comes back may have moved
	s.EnableCompression = false         // LZW allocates 64 KiB a packet
	s.Delegate, s.Events, s.Merge, s.Conflict = m, m, m, m
	s.Logger = log.New(newLogWriter(m.c), "", 0)
	return s
}

func (m *membership) close() error { return m.list.Shutdown() }

// alive returns the other members that are alive, in order of name.
func (m *membership) alive() []*peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]*peer, 0, len(m.mu.nodes))
	for _, p := range m.mu.nodes {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *peer) int { return strings.Compare(a.name, b.name) })
	return out
}

// watch takes over changes: memberlist calls back under its lock.
func (m *membership) watch() {
	for {
		select {
		case <-m.c.ctx.Done():
			return
		case <-m.changed:
			m.c.membersChanged()
		}
	}
}

func (m *membership) signal() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

func (m *membership) peerOf(n *memberlist.Node) (*peer, error) {
	meta, err := wire.ParseMeta(n.Meta)
	if err != nil {
		return nil, err
	}
	addr, ok := netip.AddrFromSlice(n.Addr)
	if !ok || !nameForm.MatchString(n.Name) || !nameForm.MatchString(meta.POP) {
		return nil, wire.ErrMalformed
	}
	addr = addr.Unmap()
	return &peer{
		id: wire.IDOf(n.Name), name: n.Name, meta: meta,
		member: netip.AddrPortFrom(addr, n.Port), spread: netip.AddrPortFrom(addr, meta.SpreadPort),
	}, nil
}

// maxMembers is the most members that are taken note of: four times as many as
// the protocol is made for.
const maxMembers = 4096

// NotifyJoin is memberlist's: a member is alive.
func (m *membership) NotifyJoin(n *memberlist.Node) { m.NotifyUpdate(n) }

// NotifyUpdate is memberlist's: a member says something else of itself.
func (m *membership) NotifyUpdate(n *memberlist.Node) {
	if n.Name == m.c.cfg.Name {
		return
	}
	p, err := m.peerOf(n)
	m.mu.Lock()
	if _, known := m.mu.nodes[n.Name]; err == nil && (known || len(m.mu.nodes) < maxMembers) {
		m.mu.nodes[n.Name] = p
	} else {
		m.c.stats.malformed.Add(1)
	}
	m.mu.Unlock()
	m.signal()
}

// NotifyLeave is memberlist's: a member has left, or is dead.
func (m *membership) NotifyLeave(n *memberlist.Node) {
	m.mu.Lock()
	delete(m.mu.nodes, n.Name)
	m.mu.Unlock()
	m.signal()
}

// NotifyMerge is memberlist's: somebody joins this node, or this node somebody.
// An error keeps both apart. A node alone whose name is taken is refused; so is
// one, by itself, that finds its own name taken.
func (m *membership) NotifyMerge(nodes []*memberlist.Node) error {
	var live []*peer
	for _, n := range nodes {
		if n.State != memberlist.StateAlive && n.State != memberlist.StateSuspect {
			continue
		}
		p, err := m.peerOf(n)
		if err != nil {
			continue // shown as malformed when it joins
		}
		if p.name == m.c.cfg.Name && m.foreign(p) && m.newcomer() {
			return m.refuse(p)
		}
		live = append(live, p)
	}
	if len(live) == 1 && m.taken(live[0]) {
		m.c.stats.namesRefused.Add(1)
		return fmt.Errorf("%w: %s at %v", ErrDuplicateName, live[0].name, live[0].member)
	}
	return nil
}

// NotifyConflict is memberlist's: two live nodes have one name. The one that
// was started later refuses to serve.
func (m *membership) NotifyConflict(_, other *memberlist.Node) {
	m.c.stats.namesRefused.Add(1)
	if other.Name != m.c.cfg.Name {
		return
	}
	p, err := m.peerOf(other)
	if err != nil || !m.foreign(p) {
		return
	}
	mine := m.c.meta
	if p.meta.Started < mine.Started || p.meta.Started == mine.Started && string(p.meta.Session[:]) < string(mine.Session[:]) {
		m.names.met.Store(int64(m.c.now()))
		_ = m.refuse(p)
		return
	}
	m.names.younger.Store(&rival{p.member, m.c.now()})
}

// NodeMeta is memberlist's: what this node says of itself.
func (m *membership) NodeMeta(int) []byte { return m.c.meta.Append(nil) }

// NotifyMsg and the following are memberlist's ways to carry messages of the
// program's, which are not used.
func (m *membership) NotifyMsg([]byte) {}

// GetBroadcasts has nothing to add.
func (m *membership) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState has nothing to add.
func (m *membership) LocalState(bool) []byte { return nil }

// MergeRemoteState takes nothing.
func (m *membership) MergeRemoteState([]byte, bool) {}
