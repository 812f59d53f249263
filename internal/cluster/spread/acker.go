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
	// maxIssuers bounds the table of who issues as which incarnation.
	maxIssuers = 4096
)

// acker gathers acknowledgements, and sends them at a bounded rate.
type acker struct {
	to      map[wire.ID]*owed
	issuers map[journal.Incarnation]wire.ID
}

type owed struct {
	rows map[ackKey]*due
	at   time.Duration // when to send; 0: nothing to send
	last time.Duration // when sent; 0: never
}

type ackKey struct {
	receiver wire.ID
	inc      journal.Incarnation
}

type due struct {
	wire.Ack
	applied time.Duration
}

// Owe says what the own node, or another for which it is the relay, has applied
// of an incarnation: a is sent to a member soon, with Held counted from now on.
func (c *Core) Owe(now time.Duration, to wire.ID, a wire.Ack) {
	if c.peers[to] == nil {
		return // it will send again, and we may know it then
	}
	o := c.acks.to[to]
	if o == nil {
		o = &owed{rows: make(map[ackKey]*due)}
		c.acks.to[to] = o
	}
	key := ackKey{a.Receiver, a.Incarnation}
	d := o.rows[key]
	if d == nil {
		if len(o.rows) >= maxOwed {
			return
		}
		d = &due{}
		o.rows[key] = d
	}
	if a.Head < d.Head {
		a.Head, a.Above = d.Head, d.Above // it was overtaken
	}
	d.Ack, d.applied = a, now-a.Held
	if o.at == 0 {
		o.at = max(now, 1)
		if a.Receiver != c.cfg.Self {
			o.at = now + relayGather
		}
		if o.last > 0 {
			o.at = max(o.at, o.last+ackGather)
		}
	}
	c.ackDue(now, to, o)
}

// OweAgain tells whether a batch that has come before is to be acknowledged once
// more: its unasked copies, which come within thirdAfter, need none; one that was
// sent again, because no acknowledgement had arrived, does.
func (c *Core) OweAgain(now time.Duration, to wire.ID) bool {
	o := c.acks.to[to]
	return o == nil || o.at == 0 && now-o.last >= 2*ackGather
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

// sendAcks sends the acknowledgements that are due.
func (c *Core) sendAcks(now time.Duration) {
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
	var body []byte
	send := func() {
		content := wire.AppendFrame(nil, wire.TypeAck, body)
		c.actions.Sends = append(c.actions.Sends, Send{Content: content, To: target})
		body = nil
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
		if n := len(body); n > 0 {
			if more := wire.AppendAck(body, &d.Ack); len(more)+wire.FrameOverhead <= seal.MaxContent {
				body = more
				continue
			}
			send()
		}
		body = wire.AppendAck(nil, &d.Ack)
	}
	if len(body) > 0 {
		send()
	}
}

// IssuerOf returns who issues as an incarnation, if known.
func (c *Core) IssuerOf(inc journal.Incarnation) (wire.ID, bool) {
	id, known := c.acks.issuers[inc]
	return id, known
}
