package cluster

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/cluster/proof"
	"github.com/rescind-edge/rescind/internal/cluster/spread"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

// entry is a member of the roster, as the replicated state has it.
type entry struct {
	item     state.Item
	name     string
	pop      string
	addr     netip.AddrPort // membership
	policy   wire.Policy
	identity string // hexadecimal
	member   proof.Member
}

// rosterKeeper holds the roster as it was last read from the state.
type rosterKeeper struct {
	current atomic.Pointer[rosterView]
	company atomic.Bool // since the start there has been another member
	writing sync.Mutex
	// expected is the roster with its guests: see Cluster.expected.
	expected  atomic.Pointer[proof.Roster]
	expecting sync.Mutex
}

// rosterView is the roster at one time. It never changes.
type rosterView struct {
	entries []entry // of other nodes and this one, in order of name
	byName  map[string]*entry
	proof   *proof.Roster
	version [16]byte // digest of the state it was read from
	// complete says that this state is all that the cluster has: only then the
	// roster is one to count a majority of.
	complete bool
}

func (k *rosterKeeper) today() *proof.Roster { return k.current.Load().proof }

// itemID names a roster item: a member's name, its data directory and how often
// it has been a member, since what was removed never comes back.
func itemID(name, identity string, times int) string {
	return name + "#" + identity + "-" + strconv.Itoa(times)
}

func (c *Cluster) identity() string { return identityText(c.cfg.Identity) }

// loadRoster reads the roster from the state.
func (c *Cluster) loadRoster() {
	m, complete := c.cfg.Journal.State()
	v := &rosterView{byName: make(map[string]*entry), version: m.Digest(), complete: complete}
	for _, item := range m.Live(state.KindMember) {
		if e, ok := parseEntry(item); ok {
			v.entries = append(v.entries, e)
		}
	}
	// Two items of a name: a node was set up anew. The later one stands.
	slices.SortStableFunc(v.entries, func(a, b entry) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return int(min(max(a.item.Time-b.item.Time, -1), 1))
	})
	for i := range v.entries {
		v.byName[v.entries[i].name] = &v.entries[i]
	}
	if v.byName[c.cfg.Name] == nil {
		own := c.ownEntry(itemID(c.cfg.Name, c.identity(), 0))
		v.byName[c.cfg.Name] = &own
	}
	var members []proof.Member
	var ids []wire.ID
	for _, e := range v.byName {
		members, ids = append(members, e.member), append(ids, e.member.ID)
	}
	slices.SortFunc(members, func(a, b proof.Member) int { return strings.Compare(a.Name, b.Name) })
	v.proof = proof.NewRoster(c.self, members)
	c.roster.current.Store(v)
	if len(members) > 1 {
		c.roster.company.Store(true)
	}
	c.heart.Lock()
	c.heart.SetRoster(ids)
	c.heart.Unlock()
	c.expect()
}

// refreshRoster takes over what has changed in the state, and sees to it that
// this node is in it.
func (c *Cluster) refreshRoster() {
	c.roster.writing.Lock()
	defer c.roster.writing.Unlock()
	if err := c.enlist(); err != nil {
		c.log.Error("this node could not be put into the roster", "error", err)
	}
	current := c.roster.current.Load()
	if c.stateDigest() == current.version && c.complete() == current.complete {
		return
	}
	c.loadRoster()
	c.assess()
	now, today := c.cfg.Clock(), c.expected()
	c.proof.Lock()
	c.proof.Review(now, today)
	c.proof.Unlock()
}

// enlist puts this node into the roster, once it may: as the first node, or
// after it has been told who is in it.
func (c *Cluster) enlist() error {
	if c.health.leaving.Load() || !c.health.told.Load() {
		return nil
	}
	m, _ := c.cfg.Journal.State()
	id := ""
	var drop []state.Item
	for _, item := range m.Live(state.KindMember) {
		e, ok := parseEntry(item)
		if !ok || e.name != c.cfg.Name {
			continue
		}
		if e.identity == c.identity() {
			id = item.ID
			continue
		}
		// A member of this name that had other disks: it is not alive, or this
		// node would have been refused.
		drop = append(drop, item.Removal(c.wall()))
	}
	for times := 0; id == ""; times++ {
		next := itemID(c.cfg.Name, c.identity(), times)
		if _, used := m.Get(state.Key{Kind: state.KindMember, ID: next}); !used {
			id = next
		}
	}
	own := c.ownEntry(id)
	old, had := m.Get(own.item.Key)
	if had && string(old.Value) == string(own.item.Value) && len(drop) == 0 {
		return nil
	}
	items := append(drop, old.Next(c.wall(), own.item.Value))
	items[len(items)-1].Key = own.item.Key
	if err := c.cfg.Journal.PutItems(items...); err != nil {
		return err
	}
	c.stateTouched()
	c.applied(spread.Debt{}) // no hurry: what is lost is put in again
	return nil
}

// enlisted tells whether this node is in the roster by its own state.
func (c *Cluster) enlisted() bool {
	m, _ := c.cfg.Journal.State()
	for _, item := range m.Live(state.KindMember) {
		if e, ok := parseEntry(item); ok && e.name == c.cfg.Name && e.identity == c.identity() {
			return true
		}
	}
	return false
}

func (c *Cluster) ownEntry(id string) entry {
	value := fmt.Sprintf("1 %s %s %d %d", c.cfg.POP, c.cfg.Advertise, c.cfg.Isolation.Policy, c.cfg.Isolation.After.Milliseconds())
	item := state.Item{Key: state.Key{Kind: state.KindMember, ID: id}, Value: []byte(value)}
	e, _ := parseEntry(item)
	return e
}
