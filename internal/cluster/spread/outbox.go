package spread

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

// batch is a run of consecutive entries that was sent.
type batch struct {
	number uint64
	inc    journal.Incarnation
	span   journal.Span
	data   []byte // nil: too large for a packet, was sent by stream
	sent   time.Duration
	rested bool // it was the first after a pause
}

func (b *batch) ranges() journal.Range {
	return journal.Range{Incarnation: b.inc, Spans: journal.Spans{b.span}}
}

// outbox holds what is to be sent to all, and what was.
//
// Invariant: kept holds the batches numbered first to first+len(kept)-1.
type outbox struct {
	pending []journal.Entry
	bytes   int // of pending
	kept    []batch
	first   uint64
	last    time.Duration // when a packet was sent to all
	sent    bool          // whether one ever was
	wait    time.Duration // not before, for the rate
	repeat  []copyOf      // copies that are still to be sent, about in order of time
	gather  time.Duration
	bucket  bucket
}

// copyOf is the second or third sending of a batch.
type copyOf struct {
	number uint64
	nth    int
	due    time.Duration
	rides  bool // it is no reason for a packet
}

// entryCost is what an entry weighs in the queue besides its body.
const entryCost = 64

func cost(e *journal.Entry) int { return entryCost + len(e.Body) + len(e.Extra) }

// add queues entries and returns how many did not fit.
func (o *outbox) add(entries []journal.Entry) (left int) {
	for i := range entries {
		if n := cost(&entries[i]); o.bytes+n <= maxPending || len(o.pending) == 0 {
			o.pending = append(o.pending, entries[i])
			o.bytes += n
			continue
		}
		return len(entries) - i
	}
	return 0
}

// end returns the number of the next batch.
func (o *outbox) end() uint64 {
	if o.first == 0 {
		return 1
	}
	return o.first + uint64(len(o.kept))
}

func (o *outbox) batch(number uint64) *batch {
	if number < o.first || number >= o.end() {
		return nil
	}
	return &o.kept[number-o.first]
}

// next returns when something is to be sent to all.
func (o *outbox) next() (time.Duration, bool) {
	var at time.Duration
	switch {
	case len(o.pending) > 0:
		at = o.last + o.gather
	default:
		due, ok := o.nextCopy()
		if !ok {
			return 0, false
		}
		at = due
	}
	return max(at, o.wait), true
}

// nextCopy returns when a copy is due that is reason enough for a packet.
func (o *outbox) nextCopy() (at time.Duration, ok bool) {
	for _, again := range o.repeat {
		if !again.rides && (!ok || again.due < at) {
			at, ok = again.due, true
		}
	}
	return at, ok
}

// flush sends what is due to all.
func (c *Core) flush(now time.Duration) {
	o := &c.out
	for {
		at, ok := o.next()
		first := !o.sent && len(o.pending) > 0
		if !ok || now < at && !first {
			return
		}
		targets := c.publishTo()
		if len(targets) == 0 {
			c.discard(now)
			return
		}
		// Under load several packets go at one instant: what waits is not to
		// wait for the next millisecond. The rate alone holds it back.
		for {
			if o.wait = o.bucket.ready(now); o.wait > now {
				return
			}
			more := c.flushOne(now, targets)
			o.last, o.sent = now, true
			if !more {
				break
			}
		}
	}
}

// discard takes note of entries that nobody is there to receive.
func (c *Core) discard(now time.Duration) {
	for len(c.out.pending) > 0 {
		c.cut(now)
	}
	c.out.repeat = nil
}

// flushOne sends one packet, or one large entry, and tells whether a full
// packet's worth is still waiting.
func (c *Core) flushOne(now time.Duration, targets []Target) bool {
	o := &c.out
	var content []byte
	if len(o.pending) > 0 {
		b := c.cut(now)
		if b.data == nil {
			for _, t := range targets {
				c.push(t, b.ranges())
			}
			o.bucket.take(now, (b.size()+entryCost)*len(targets))
			return len(o.pending) > 0
		}
		content = wire.AppendBatch(make([]byte, 0, seal.MaxContent), b.number, b.data)
		content = c.fill(now, content, b.number)
		o.repeat = append(o.repeat, copyOf{b.number, 2, now + repeatAfter, false})
	} else {
		content = c.fill(now, make([]byte, 0, seal.MaxContent), o.end())
	}
	if len(content) > 0 {
		c.actions.Sends = append(c.actions.Sends, Send{Content: content, To: targets})
		o.bucket.take(now, (len(content)+seal.Overhead)*len(targets))
	}
	return len(o.pending) > 0 && o.bytes > batchSize
}

// fill appends batches to be repeated while they fit: second copies of those
// older than a number, third ones that are due.
func (c *Core) fill(now time.Duration, content []byte, before uint64) []byte {
	o := &c.out
	var later []copyOf
	for i, again := range o.repeat {
		b := o.batch(again.number)
		switch {
		case b == nil || again.stale(now):
			continue
		case again.number >= before || again.nth == 3 && again.due > now:
			later = append(later, again)
			continue
		case len(content)+wire.MaxBatchOverhead+len(b.data) > seal.MaxContent:
			o.repeat = append(later, o.repeat[i:]...)
			return content
		}
		content = wire.AppendBatch(content, b.number, b.data)
		c.count.Repeated++
		if again.nth == 2 {
			later = append(later, copyOf{again.number, 3, b.sent + thirdAfter, !b.rested})
		}
	}
	o.repeat = later
	return content
}

// stale tells whether a third copy is not worth a place any more: there is so
// much to send that packets have no room for it.
func (r copyOf) stale(now time.Duration) bool { return r.nth == 3 && now > r.due+3*thirdAfter }

// cut makes a batch of the first entries that wait.
func (c *Core) cut(now time.Duration) *batch {
	o := &c.out
	run := 1
	for run < len(o.pending) && o.pending[run].Incarnation == o.pending[0].Incarnation &&
		o.pending[run].Seq == o.pending[run-1].Seq+1 && run < journal.MaxBatch {
		run++
	}
	b := batch{number: o.end(), inc: o.pending[0].Incarnation, sent: now, rested: !o.sent || now-o.last >= restAfter}
	n := 1
	if cost(&o.pending[0]) <= soloSize+entryCost {
		b.data, n = journalwire.AppendBatch(nil, o.pending[:run], batchSize)
	}
	if len(b.data) > soloSize {
		b.data = nil
	}
	b.span = journal.Span{First: o.pending[0].Seq, Last: o.pending[n-1].Seq}
	for i := range n {
		o.bytes -= cost(&o.pending[i])
		o.pending[i] = journal.Entry{} // let its body go
	}
	if o.pending = o.pending[n:]; len(o.pending) == 0 {
		o.pending = nil
	}
	c.keep(b)
	c.count.Batches++
	return &o.kept[len(o.kept)-1]
}

// size guesses the bytes of a batch that was too large for a packet.
func (b *batch) size() int { return max(len(b.data), soloSize) }

// keep remembers a batch and forgets the oldest beyond maxBatches.
func (c *Core) keep(b batch) {
	o := &c.out
	if o.first == 0 {
		o.first = 1
	}
	o.kept = append(o.kept, b)
	for _, p := range c.peers {
		if p.expect(b.sent) {
			c.due(p.deadline)
		}
	}
	if len(o.kept) <= maxBatches {
		return
	}
	o.kept[0] = batch{}
	o.kept = o.kept[1:]
	o.first++
}

func (c *Core) push(to Target, ranges ...journal.Range) {
	c.count.Pushed += uint64(len(ranges))
	c.actions.Pushes = append(c.actions.Pushes, Push{To: to, Ranges: ranges})
}
