package spread

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Times and sizes of the protocol.
const (
	// gather is how long entries wait for company, counted from the last packet,
	// so the first after a pause leaves at once: so much for each receiver, within
	// bounds. Most of what an entry costs is packets sent and received; with 16
	// members that issue 5,000 entries a second this saves a third.
	gather    = 300 * time.Microsecond
	minGather = time.Millisecond
	maxGather = 5 * time.Millisecond
	// repeatAfter is when a batch is sent for the second time, if no later
	// packet had room for it before. Losses come in bursts of a few
	// milliseconds, which the second copy should outlive.
	repeatAfter = 5 * time.Millisecond
	// thirdAfter is when it is sent for the third time. Of 63 members, two copies
	// leave one out for every 160th batch if a hundredth of all packets is lost,
	// three for every 16,000th. It rides along, or goes by itself while there is
	// little to send: if the batch was the first for restAfter.
	thirdAfter = 15 * time.Millisecond
	restAfter  = 100 * time.Millisecond
	// ackGather is the time between two packets of acknowledgements to one member,
	// and between two syncs for them: forty a second.
	ackGather = 25 * time.Millisecond
	// syncGather is the least time between a sync and the next that somebody after
	// a pause waits for.
	syncGather = 5 * time.Millisecond
	// relayGather is how long a relay waits for others' acknowledgements.
	relayGather = 5 * time.Millisecond
	// batchSize is the most bytes of a batch's entries if there are several: a
	// packet holds it and the batch before it.
	batchSize = (seal.MaxContent - 2*wire.MaxBatchOverhead) / 2
	// soloSize is the most bytes of an entry that goes in a packet. Larger ones
	// go by stream.
	soloSize = seal.MaxContent - wire.MaxBatchOverhead
	// maxBatches is how many batches are kept for retransmission: two seconds at
	// 1,000 packets a second. Whoever lacks older ones compares vectors.
	maxBatches = 2048
	// maxPending is the bytes of entries that wait to be sent for the first
	// time: a second at a quarter of the default rate, to ten members. What does
	// not fit is left to the second phase, and Full says so long before.
	maxPending = 4 << 20
)

// Config sets up a Core.
type Config struct {
	Self wire.ID
	POP  string
	// Rate is the most bytes a second that are sent, 0: 32 MiB. Acknowledgements
	// and heartbeats do not count.
	Rate int
	// RelayFrom is from how many members on relays are used; 0: 64.
	RelayFrom int
}

// Member is another member that is to receive what is published.
type Member struct {
	ID  wire.ID
	POP string
}

// Target is a receiver of a packet.
type Target struct {
	ID  wire.ID
	Hop bool // it is to pass the packet on to the rest of its POP
}

// Send asks to seal and send one packet.
type Send struct {
	Content []byte
	To      []Target // valid until the Core is called again
}

// Push asks to send entries by stream.
type Push struct {
	To     Target
	Ranges []journal.Range
}

// Actions is what is to be done, in order.
type Actions struct {
	Sends  []Send
	Pushes []Push
}

// Counters count since the start.
type Counters struct {
	Entries     uint64 // published
	Batches     uint64
	Repeated    uint64 // batches sent a second or third time to all, unasked
	Retransmits uint64 // batches sent again to one member
	Pushed      uint64 // ranges sent by stream
	Left        uint64 // times that a member was left to the second phase
	NotPassed   uint64 // packets not passed on, as a relay, because of the rate
	Overflow    uint64 // entries left to the second phase because too many waited
}

// Core is the state of the first phase on one member.
type Core struct {
	cfg     Config
	out     outbox
	peers   map[wire.ID]*peer
	targets []Target // of what is published
	stale   bool     // targets must be computed again
	inbox   inbox
	acks    acker
	passed  bucket        // what is passed on as a relay
	soonest time.Duration // Tick is not due before; 0: it is not due
	actions Actions
	count   Counters
}

// New returns a Core that knows no other member.
func New(cfg Config) *Core {
	if cfg.Rate <= 0 {
		cfg.Rate = 32 << 20
	}
	if cfg.RelayFrom <= 0 {
		cfg.RelayFrom = 64
	}
	c := &Core{cfg: cfg, peers: make(map[wire.ID]*peer)}
	c.out.bucket, c.passed = newBucket(cfg.Rate), newBucket(cfg.Rate)
	c.inbox.sessions = make(map[seal.Session]*received)
	c.acks.to = make(map[wire.ID]*owed)
	c.acks.issuers = make(map[journal.Incarnation]wire.ID)
	return c
}

// RoundTrip says how long a packet takes to a member and back, by a ping.
func (c *Core) RoundTrip(id wire.ID, trip time.Duration) {
	if p := c.peers[id]; p != nil {
		p.trip = trip
	}
}

// SetMembers says who else is alive. What was published before a member came
// alive is not sent to it: it compares vectors when it does.
func (c *Core) SetMembers(members []Member) {
	alive := make(map[wire.ID]bool, len(members))
	for _, m := range members {
		if m.ID == c.cfg.Self {
			continue
		}
		alive[m.ID] = true
		if p := c.peers[m.ID]; p != nil {
			p.Member = m
			continue
		}
		c.peers[m.ID] = newPeer(m, c.out.end())
	}
	for id := range c.peers {
		if !alive[id] {
			delete(c.peers, id)
			if o := c.acks.to[id]; o != nil {
				c.acks.debts -= len(o.debts)
				delete(c.acks.to, id)
			}
		}
	}
	c.stale = true
}

// Publish sends new entries of the own incarnation, in order of their sequence
// numbers.
func (c *Core) Publish(now time.Duration, entries []journal.Entry) {
	c.count.Entries += uint64(len(entries))
	c.count.Overflow += uint64(c.out.add(entries))
	c.flush(now)
	if at, ok := c.out.next(); ok {
		c.due(at)
	}
}

// Full tells whether so much waits to be sent that the front door should refuse
// more: half of what is left to the second phase.
func (c *Core) Full() bool { return c.out.bytes > maxPending/2 }

// Backlog returns the bytes of entries that wait to be sent.
func (c *Core) Backlog() int { return c.out.bytes }

// Counters returns the present counts.
func (c *Core) Counters() Counters { return c.count }

// Tick does what is due.
func (c *Core) Tick(now time.Duration) {
	c.flush(now)
	c.retransmit(now)
	c.SendAcks(now)
}

// Next returns when Tick is due, and whether it ever is.
func (c *Core) Next() (at time.Duration, ok bool) {
	earliest := func(t time.Duration, due bool) {
		if due && (!ok || t < at) {
			at, ok = t, true
		}
	}
	earliest(c.out.next())
	for _, p := range c.peers {
		earliest(p.due())
	}
	earliest(c.acks.next())
	if c.soonest = 0; ok {
		c.soonest = max(at, 1)
	}
	return at, ok
}

// Soonest returns an instant before which Tick is not due, without looking at
// every member: Next's, or that of what was begun since; 0: it is not due.
func (c *Core) Soonest() time.Duration { return c.soonest }

// due notes that Tick is due at an instant.
func (c *Core) due(at time.Duration) {
	if at = max(at, 1); c.soonest == 0 || at < c.soonest {
		c.soonest = at
	}
}

// Take returns what is to be done and forgets it.
func (c *Core) Take() Actions {
	a := c.actions
	c.actions = Actions{}
	return a
}

// publishTo returns to whom new packets go.
func (c *Core) publishTo() []Target {
	if c.stale {
		c.targets, c.stale = c.route(), false
		c.out.gather = min(max(minGather, time.Duration(len(c.targets))*gather), maxGather)
	}
	return c.targets
}
