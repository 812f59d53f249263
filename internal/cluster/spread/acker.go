package spread

import (
	"maps"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

const (
	// maxOwed is the most acknowledgements waiting for one member: of a relay,
	// one for each receiver in its POP and each of the issuer's incarnations.
	// What does not fit is not sent; the issuer then asks each receiver directly
	// by sending again.
	maxOwed = 1024
	// maxDebts bounds what waits for a disk that does not answer. Who is forgotten
	// sends again.
	maxDebts = 8192
	// maxIssuers bounds the table of who issues as which incarnation.
	maxIssuers = 4096
)

// acker gathers acknowledgements, and sends them at a bounded rate.
//
// Those of the own node need a sync first. So they wait as debts, and a sync is
// due when the first of them is.
type acker struct {
	to      map[wire.ID]*owed
	issuers map[journal.Incarnation]wire.ID
	debts   int           // of all members
	syncAt  time.Duration // when a sync is due; 0: there is nothing to be made durable
	synced  time.Duration // when debts were taken last; 0: never
}

// owed is what one member is to be told.
type owed struct {
	rows  map[ackKey]*due
	debts map[journal.Incarnation]*owing
	at    time.Duration // when to send rows; 0: there are none
	debt  time.Duration // when the debts are due; 0: there are none
	last  time.Duration // when sent; 0: never
}

type ackKey struct {
	receiver wire.ID
	inc      journal.Incarnation
}

type due struct {
	wire.Ack
	applied time.Duration
}

// Debt is an acknowledgement that the own node owes a member, once what it has
// applied of an incarnation is durable.
type Debt struct {
	To          wire.ID
	Incarnation journal.Incarnation
	Came        time.Duration // when the newest entries came into force
	// New are the entries that came into force then; zero: those have been owed
	// before. Earlier are those owed for longer, in a debt that TakeDebts returned.
	New     journal.Span
	Earlier []InForce
}

// InForce is when entries, First to Last, came into force on this node.
type InForce struct {
	journal.Span
	At time.Duration
}

// owing is what is owed a member of an incarnation.
type owing struct {
	came time.Duration
	runs []InForce // at most wire.MaxRuns, oldest first
}

// sameTime is how far apart entries may come into force to be told of as if they had
// together, at the later of both: half of what makes a difference in a receipt.
const sameTime = 500 * time.Microsecond

// add notes when entries came into force.
func (o *owing) add(r InForce) {
	if n := len(o.runs); n > 0 {
		if last := &o.runs[n-1]; last.Last+1 == r.First && r.At-last.At < sameTime {
			last.Last, last.At = r.Last, r.At
			return
		}
	}
	if len(o.runs) >= wire.MaxRuns {
		o.runs = append(o.runs[:0], o.runs[1:]...)
	}
	o.runs = append(o.runs, r)
}

func (c *Core) owedTo(id wire.ID) *owed {
	if c.peers[id] == nil {
		return nil // it will send again, and we may know it then
	}
	o := c.acks.to[id]
	if o == nil {
		o = &owed{rows: make(map[ackKey]*due), debts: make(map[journal.Incarnation]*owing)}
		c.acks.to[id] = o
	}
	return o
}

// Applied says that entries of an incarnation, which a member has sent, are
// applied, and returns when a sync is due that makes them durable; then TakeDebts
// has them. The first after a pause is due at once, or a little after the last
// sync; others are due at instants that all members have in common, ackGather
// apart, so that one sync serves them all.
func (c *Core) Applied(now time.Duration, d Debt) (syncAt time.Duration) {
	at := now/ackGather*ackGather + ackGather
	o := c.owedTo(d.To)
	if o != nil && (o.last == 0 || now-o.last >= ackGather) {
		at = max(now, 1)
		if c.acks.synced > 0 {
			at = max(at, c.acks.synced+syncGather)
		}
	}
	if o != nil {
		owe := o.debts[d.Incarnation]
		if owe == nil {
			if c.acks.debts >= maxDebts {
				return c.acks.syncAt // there is one
			}
			c.acks.debts++
			owe = &owing{}
			o.debts[d.Incarnation] = owe
		}
		owe.came = d.Came
		for _, r := range d.Earlier {
			owe.add(r)
		}
		if d.New.First > 0 {
			owe.add(InForce{d.New, d.Came})
		}
		if o.debt == 0 || at < o.debt {
			o.debt = at
		}
	}
	if c.acks.syncAt == 0 || at < c.acks.syncAt {
		c.acks.syncAt = at
	}
	return c.acks.syncAt
}

// SyncDue returns when TakeDebts is due, and whether it is. While members send,
// that is at the latest at the next of the instants in common.
func (c *Core) SyncDue() (at time.Duration, ok bool) { return c.acks.syncAt, c.acks.syncAt > 0 }

// TakeDebts returns the debts that are due, if a sync is: they are to be given to
// Acknowledge, or back to Applied.
func (c *Core) TakeDebts(now time.Duration) (debts []Debt, due bool) {
	a := &c.acks
	if a.syncAt == 0 || a.syncAt > now {
		return nil, false
	}
	a.syncAt, a.synced = 0, now
	for to, o := range a.to {
		switch {
		case o.debt == 0:
		case o.debt > now:
			if a.syncAt == 0 || o.debt < a.syncAt {
				a.syncAt = o.debt
			}
		default:
			for inc, owe := range o.debts {
				debts = append(debts, Debt{To: to, Incarnation: inc, Came: owe.came, Earlier: owe.runs})
			}
			a.debts -= len(o.debts)
			clear(o.debts)
			o.debt, o.last = 0, now
		}
	}
	return debts, true
}

// Acknowledge says what is durable of an incarnation. SendAcks, which is to follow,
// sends it, with whatever waits for the member besides.
func (c *Core) Acknowledge(now time.Duration, to wire.ID, a wire.Ack) {
	if o := c.owedTo(to); o != nil && c.owe(now, o, a) {
		o.at = max(now, 1)
	}
}

// Owe says what another, for which this node is the relay, has applied of an
// incarnation: a is sent to a member soon, with Held counted from now on.
func (c *Core) Owe(now time.Duration, to wire.ID, a wire.Ack) {
	o := c.owedTo(to)
	if o == nil || !c.owe(now, o, a) {
		return
	}
	if o.at == 0 {
		o.at = now + relayGather
		if o.last > 0 {
			o.at = max(o.at, o.last+ackGather)
		}
		c.due(o.at)
	}
}

// owe notes an acknowledgement, if there is room.
func (c *Core) owe(now time.Duration, o *owed, a wire.Ack) bool {
	key := ackKey{a.Receiver, a.Incarnation}
	d := o.rows[key]
	if d == nil {
		if len(o.rows) >= maxOwed {
			return false
		}
		d = &due{}
		o.rows[key] = d
	}
	if a.Head < d.Head {
		a.Head, a.Above = d.Head, d.Above // it was overtaken
	}
	applied := now - a.Held
	if len(d.Runs) > 0 { // not told yet
		for i := range d.Runs {
			d.Runs[i].Delay += applied - d.applied
		}
		a.Runs = append(d.Runs, a.Runs...)
		a.Runs = a.Runs[max(0, len(a.Runs)-wire.MaxRuns):]
	}
	d.Ack, d.applied = a, applied
	return true
}

// OweAgain tells whether a batch that has come before is to be acknowledged once
// more: its unasked copies, which come within thirdAfter, need none; one that was
// sent again, because no acknowledgement had arrived, does.
func (c *Core) OweAgain(now time.Duration, to wire.ID) bool {
	o := c.acks.to[to]
	return o == nil || o.debt == 0 && now-o.last >= 2*ackGather
}

// Issued remembers who issues as an incarnation, so that acknowledgements of
// others can be passed to it.
func (c *Core) Issued(inc journal.Incarnation, by wire.ID) {
	if _, known := c.acks.issuers[inc]; !known && len(c.acks.issuers) >= maxIssuers {
		clear(c.acks.issuers) // it fills again with the next batches
	}
	c.acks.issuers[inc] = by
}

// Relay takes another's acknowledgement of an incarnation that is not ours, to
// be gathered and passed to its issuer.
func (c *Core) Relay(now time.Duration, a wire.Ack) {
	if to, known := c.acks.issuers[a.Incarnation]; known && to != c.cfg.Self {
		c.Owe(now, to, a)
	}
}

func (a *acker) next() (at time.Duration, ok bool) {
	for _, o := range a.to {
		if o.at > 0 && (!ok || o.at < at) {
			at, ok = o.at, true
		}
	}
	return at, ok
}

// SendAcks sends the acknowledgements that are due.
func (c *Core) SendAcks(now time.Duration) {
	for to, o := range c.acks.to {
		c.ackDue(now, to, o)
	}
}

func (c *Core) ackDue(now time.Duration, to wire.ID, o *owed) {
	if o.at == 0 || o.at > now {
		return
	}
	c.packAcks(now, to, o)
	clear(o.rows)
	o.at, o.last = 0, now
}

func (c *Core) packAcks(now time.Duration, to wire.ID, o *owed) {
	target := []Target{{ID: to}}
	var times, body []byte // frames of times, then one of acknowledgements
	send := func() {
		content := wire.AppendFrame(times, wire.TypeAck, body)
		c.actions.Sends = append(c.actions.Sends, Send{Content: content, To: target})
		times, body = nil, nil
	}
	keys := slices.SortedFunc(maps.Keys(o.rows), func(a, b ackKey) int {
		if a.receiver != b.receiver {
			if a.receiver < b.receiver {
				return -1
			}
			return 1
		}
		return a.inc.Compare(b.inc)
	})
	for _, key := range keys {
		d := o.rows[key]
		d.Held = now - d.applied
		if len(body) > 0 {
			more, ack := appendTimes(times, d), wire.AppendAck(body, &d.Ack)
			if len(more)+len(ack)+wire.FrameOverhead <= seal.MaxContent {
				times, body = more, ack
				continue
			}
			send()
		}
		times, body = appendTimes(nil, d), wire.AppendAck(nil, &d.Ack)
	}
	if len(body) > 0 {
		send()
	}
}

// maxTimes is the most bytes of a frame of times: its acknowledgement is to fit into
// the packet. As many runs as there may be take a third of it, if they are such as
// issuers bring about.
const maxTimes = seal.MaxContent - wire.MaxAckSize - wire.FrameOverhead

// appendTimes appends the frame of an acknowledgement's times, if it has any; where
// it has too many, of the later half.
func appendTimes(to []byte, d *due) []byte {
	for runs := d.Runs; len(runs) > 0; runs = runs[(len(runs)+1)/2:] {
		all := wire.AppendTimes(to, &wire.Times{Receiver: d.Receiver, Incarnation: d.Incarnation, Runs: runs})
		if len(all)-len(to) <= maxTimes {
			return all
		}
	}
	return to
}

// IssuerOf returns who issues as an incarnation, if known.
func (c *Core) IssuerOf(inc journal.Incarnation) (wire.ID, bool) {
	id, known := c.acks.issuers[inc]
	return id, known
}
