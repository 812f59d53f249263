package cluster

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// ErrDuplicateName is the reason of a node that another one of its name keeps
// out.
var ErrDuplicateName = errors.New("another live node has this name; give each node a name of its own")

// ErrAlone is the reason of a node that has met nobody of those it was told to
// join.
var ErrAlone = errors.New("no member has been met yet; see that the addresses of cluster.join can be reached, UDP and TCP, at two ports each")

// Readiness says whether this node knows what the cluster knows, so that what it
// has stored may be served.
type Readiness uint8

const (
	// Joining: it has not yet exchanged with every member of the roster that it
	// can reach, or not with a majority, or does not know all of the roster.
	Joining Readiness = iota
	// Ready: it has. It stays so until it leaves: see Health.Isolated.
	Ready
	// Refused: see Health.Refused.
	Refused
	// Leaving: it has been told to leave.
	Leaving
)

func (r Readiness) String() string {
	switch r {
	case Joining:
		return "joining"
	case Ready:
		return "ready"
	case Refused:
		return "refused"
	case Leaving:
		return "leaving"
	}
	return "unknown"
}

// Health is what a node is to know of itself before it serves.
type Health struct {
	Readiness Readiness
	Refused   error // wraps ErrDuplicateName; nil: it is not refused
	// Alone says why a node that was told whom to join has met nobody, as far as is
	// known: it wraps ErrAlone. nil: it has, or was not told.
	Alone error
	// Isolated says that fewer than a majority of the roster, this node
	// included, have a heartbeat younger than isolation.after.
	Isolated bool
	// Since is how long Isolated has been as it is.
	Since    time.Duration
	Fresh    int // members with a young heartbeat, this node included
	Majority int
	Roster   int
}

// healthKeeper holds what Health is made of.
type healthKeeper struct {
	until    atomic.Int64 // of the boot clock; isolated after it
	ready    atomic.Bool
	informed atomic.Bool // whoever can be reached has been asked
	told     atomic.Bool // who is in the roster
	complete atomic.Bool // the replicated state
	leaving  atomic.Bool
	// introducing says that others are told of this node, which is all that it waits
	// for to be ready.
	introducing atomic.Bool
	refused     atomic.Pointer[error]
	isolated    struct {
		sync.Mutex
		last  bool
		since time.Duration
		said  bool // in the log
	}
}

// isolation notes whether the node is isolated, and returns since when it is as
// it is. Whoever looks first notes it.
func (k *healthKeeper) isolation(isolated bool, now time.Duration) (since time.Duration) {
	k.isolated.Lock()
	defer k.isolated.Unlock()
	if k.isolated.last != isolated {
		k.isolated.last, k.isolated.since = isolated, now
	}
	return k.isolated.since
}

// say tells whether something about isolation is to be said now: once for each
// time.
func (k *healthKeeper) say(isolated bool) bool {
	k.isolated.Lock()
	defer k.isolated.Unlock()
	changed := k.isolated.said != isolated
	k.isolated.said = isolated
	return changed
}

func (k *healthKeeper) joined() bool { return k.ready.Load() }

// Isolated tells whether this node is isolated now. It is cheap enough to be
// asked for every request: an atomic load and a look at the clock, which counts
// suspension, so the first request after it gets the right answer.
func (c *Cluster) Isolated() bool {
	return int64(c.cfg.Clock()) > c.health.until.Load()
}

// Ready tells whether what this node has stored may be served, isolation aside.
// It is an atomic load or two.
func (c *Cluster) Ready() bool {
	return c.health.ready.Load() && !c.health.leaving.Load() && c.health.refused.Load() == nil
}

// Refused returns why this node is kept out, wrapping ErrDuplicateName; nil: it is
// not. It is an atomic load.
func (c *Cluster) Refused() error {
	if refused := c.health.refused.Load(); refused != nil {
		return *refused
	}
	return nil
}

// informAfter is when a member counts as one that cannot be reached although it
// may not have been dialled: a dial takes five seconds.
const informAfter = 10 * time.Second

// Informed tells whether the replicated state is what the cluster knows, as far
// as this node can find out: it is complete, and since the start of this node
// every member that can be reached has been asked. Unlike Ready it needs no
// majority, so it comes true on either side of a partition. It stays true.
func (c *Cluster) Informed() bool { return c.health.informed.Load() && c.complete() }

// Health returns all that a node is to know of itself.
func (c *Cluster) Health() Health {
	h := Health{Isolated: c.Isolated()}
	now := c.cfg.Clock()
	c.heart.Lock()
	h.Fresh, h.Majority = c.heart.Fresh(now, c.cfg.Isolation.After), c.heart.Majority()
	c.heart.Unlock()
	h.Roster = len(c.roster.today().Members)
	h.Refused = c.Refused()
	if !c.metCompany() && len(c.view.Load().peers) == 0 {
		h.Alone = ErrAlone
		if c.stats.memberSeals.Load() > 0 {
			h.Alone = fmt.Errorf("%w, and that cluster.secret is the same there: somebody has sent what another secret has sealed", ErrAlone)
		}
	}
	switch {
	case c.health.leaving.Load():
		h.Readiness = Leaving
	case h.Refused != nil:
		h.Readiness = Refused
	case c.health.ready.Load():
		h.Readiness = Ready
	}
	h.Since = now - c.health.isolation(h.Isolated, now)
	return h
}

// beats returns the heartbeats to pass on.
func (c *Cluster) beats() []wire.Beat {
	now := c.cfg.Clock()
	c.heart.Lock()
	defer c.heart.Unlock()
	return c.heart.Beats(now)
}

// countBeats takes heartbeats whose promise has been kept. The caller is to call
// assess once it has taken over whatever else has come with them.
func (c *Cluster) countBeats(asked time.Duration, from wire.ID, passed []wire.Beat) {
	c.heart.Lock()
	defer c.heart.Unlock()
	c.heart.Count(asked, from, passed)
}

// assess draws the consequences of heartbeats, the roster and who has answered.
func (c *Cluster) assess() {
	c.heart.Lock()
	until, forever := c.heart.Until(c.cfg.Isolation.After)
	c.heart.Unlock()
	switch {
	case !c.metCompany():
		until = -1 // nobody is in the roster because it is not known
	case forever:
		until = math.MaxInt64
	}
	c.health.until.Store(int64(until))
	reachable, majority := c.exchanged()
	told := c.wasTold()
	if reachable && (told || c.now() >= informAfter) {
		c.health.informed.Store(true)
	}
	// A majority is one of a roster that somebody else is in, read from a state
	// that is all there is: of fewer it says nothing.
	if !c.health.ready.Load() && told && reachable && majority && c.metCompany() && c.roster.current.Load().complete {
		if enough, _ := c.introduced(); !enough || !c.enlisted() {
			if c.health.introducing.CompareAndSwap(false, true) {
				c.wg.Go(func() {
					defer c.health.introducing.Store(false)
					c.introduce()
				})
			}
			c.reportIsolation()
			return
		}
		c.health.ready.Store(true)
		c.log.Info("exchanged with every reachable member", "members", len(c.view.Load().peers)+1)
	}
	c.reportIsolation()
}

// wasTold tells whether this node has been told who is in the roster, or has
// nobody to be told by.
func (c *Cluster) wasTold() bool {
	return c.health.told.Load() || len(c.cfg.Join) == 0 || c.member.onlySelf.Load()
}

// reportIsolation logs it when isolation begins and ends. A node that has not been
// ready yet lacks a majority because it has just started; only if that lasts is it
// worth an alarm.
func (c *Cluster) reportIsolation() {
	isolated, now := c.Isolated(), c.cfg.Clock()
	since := c.health.isolation(isolated, now)
	if isolated && !c.health.joined() && now-since < c.cfg.Isolation.After {
		return
	}
	switch {
	case !c.health.say(isolated):
	case isolated:
		c.log.Error("isolated: a majority of the members has not been heard lately", "policy", c.cfg.Isolation.Policy.String())
	default:
		c.log.Info("not isolated any more")
	}
}

// exchanged tells whether this node has exchanged with every member that it can
// reach, and with a majority of the roster and of all members that it knows of. A
// member of the roster cannot be reached if membership does not see it after it
// was dialled, or if it does not answer; who is not in the roster yet may be at an
// address to join that has not been dialled.
func (c *Cluster) exchanged() (reachable, majority bool) {
	if !c.member.tried() && c.now() < informAfter {
		return false, false
	}
	v, all := c.view.Load(), c.expected()
	r := &c.rounds
	r.mu.Lock()
	defer r.mu.Unlock()
	have, enlisted := 1, 1
	for i := range all.Members {
		id := all.Members[i].ID
		switch {
		case id == c.self:
		case r.mu.since[id]:
			have++
			if !all.Members[i].Guest {
				enlisted++
			}
		case v.byID[id] != nil && r.mu.failed[id] < failedAfter:
			return false, false // it can be reached, and has not been asked
		case v.byID[id] == nil && !c.member.dialled(id):
			return false, false // it may be reachable
		}
	}
	return true, enlisted >= all.Majority() && have > len(all.Members)/2
}
