package spread

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Retransmission.
const (
	// minTimeout is longer than acknowledgements are gathered and a busy disk
	// syncs: three copies are on their way anyhow.
	minTimeout = 60 * time.Millisecond
	maxTimeout = 3 * time.Second
	// firstTimeout is waited for while nothing is known about a member: once
	// around the world and back, and a sync.
	firstTimeout = time.Second
	// packetRounds is how often batches are sent again in packets before they go
	// by stream.
	packetRounds = 2
	// maxRounds is after how many rounds a member is left to the second phase.
	maxRounds = 4
	// roundBatches is the most batches that one round sends again.
	roundBatches = 64
	// maxRows is the most own incarnations for which a member's rows are kept: a
	// node changes its incarnation when it finds itself cloned, which is rare.
	maxRows = 4
)

// peer is what is known of another member's receiving.
//
// Invariant: every batch below next is acknowledged, or the member was left to
// the second phase for it.
type peer struct {
	Member
	rows     map[journal.Incarnation]journal.Row
	next     uint64
	trip     time.Duration // of a ping; 0: unknown
	smooth   time.Duration // of the time from sending to acknowledgement; 0: unknown
	variance time.Duration
	deadline time.Duration // of the oldest batch that is not acknowledged; 0: none
	round    int
	again    []uint64 // batches of the last round, to be sent a second time
	againAt  time.Duration
	left     bool // to the second phase, until it acknowledges something new
}

func newPeer(m Member, next uint64) *peer {
	return &peer{Member: m, next: next, rows: make(map[journal.Incarnation]journal.Row)}
}

// failing tells whether the member does not answer: as a relay it is passed by.
func (p *peer) failing() bool { return p.round > 0 || p.left }

func (p *peer) timeout() time.Duration {
	t := p.smooth + max(4*p.variance, p.smooth/4, 10*time.Millisecond) + ackGather
	switch {
	case p.smooth == 0 && p.trip == 0:
		t = firstTimeout
	case p.smooth == 0:
		t = 2*p.trip + 2*minTimeout
	}
	for range p.round - 1 { // the first rounds are for chance losses, which do not wait
		t += t / 2
	}
	return min(max(t, minTimeout), maxTimeout)
}

// expect begins to wait for the acknowledgement of a batch sent now, and tells
// whether nothing was waited for before.
func (p *peer) expect(now time.Duration) bool {
	if p.deadline > 0 || p.left {
		return false
	}
	p.deadline = now + p.timeout()
	return true
}

func (p *peer) due() (time.Duration, bool) {
	switch {
	case len(p.again) > 0 && (p.deadline == 0 || p.againAt < p.deadline):
		return p.againAt, true
	case p.deadline > 0:
		return p.deadline, true
	}
	return 0, false
}

func (p *peer) has(b *batch) bool {
	row := p.rows[b.inc]
	if b.span.Last <= row.Head {
		return true
	}
	for _, s := range row.Above {
		if s.First <= max(b.span.First, row.Head+1) && b.span.Last <= s.Last {
			return true
		}
	}
	return false
}

// Acked takes an acknowledgement of an own incarnation and returns what it says
// for the first time.
func (c *Core) Acked(now time.Duration, a *wire.Ack) journal.Spans {
	p := c.peers[a.Receiver]
	if p == nil {
		return nil
	}
	old, known := p.rows[a.Incarnation]
	if !known && len(p.rows) >= maxRows {
		clear(p.rows)
	}
	row := old.Merge(journal.Row{Head: a.Head, Above: a.Above})
	if len(row.Above) > journal.MaxAbove {
		return nil // says too much; the next will say it with fewer spans
	}
	p.rows[a.Incarnation] = row
	fresh := row.Known().Minus(old.Known())
	if len(fresh) > 0 {
		c.progress(now, p)
	}
	return fresh
}

// Row returns what a member has acknowledged of an own incarnation.
func (c *Core) Row(id wire.ID, inc journal.Incarnation) journal.Row {
	if p := c.peers[id]; p != nil {
		return p.rows[inc]
	}
	return journal.Row{}
}

// progress moves a member's window after an acknowledgement.
func (c *Core) progress(now time.Duration, p *peer) {
	before := max(p.next, c.out.first)
	newest := c.advance(p)
	if newest != nil && p.round == 0 && !p.left {
		p.sample(now - newest.sent)
	}
	if p.failing() && p.next > before {
		c.stale = true // it may be a relay again
	}
	if p.next > before || p.left {
		p.round, p.left = 0, false
	}
	c.rearm(now, p)
}

// advance moves a member's window past what it has, and returns the newest
// batch of it; nil for none. What it has it may have from others, before it was
// sent.
func (c *Core) advance(p *peer) (newest *batch) {
	p.next = max(p.next, c.out.first)
	for b := c.out.batch(p.next); b != nil && p.has(b); b = c.out.batch(p.next) {
		newest = b
		p.next++
	}
	return newest
}

// sample takes the time from sending a batch to its acknowledgement, which has
// the sync in it, and the gathering of acknowledgements.
func (p *peer) sample(t time.Duration) {
	t = max(t, time.Microsecond)
	if p.smooth == 0 {
		p.smooth, p.variance = t, t/2
		return
	}
	d := t - p.smooth
	p.smooth += d / 8
	p.variance += (max(d, -d) - p.variance) / 4
}

// rearm sets the deadline by the oldest batch that is not acknowledged.
func (c *Core) rearm(now time.Duration, p *peer) {
	p.deadline = 0
	if b := c.out.batch(p.next); b != nil && !p.left {
		p.deadline = max(b.sent+p.timeout(), now+time.Millisecond)
		c.due(p.deadline)
	}
}

// retransmit sends again what was not acknowledged in time.
func (c *Core) retransmit(now time.Duration) {
	for _, p := range c.peers {
		if len(p.again) > 0 && p.againAt <= now {
			c.resend(p, p.again)
			p.again = nil
		}
		if p.deadline > 0 && p.deadline <= now {
			c.round(now, p)
		}
	}
}

// round sends one member what it has not acknowledged in time.
func (c *Core) round(now time.Duration, p *peer) {
	var late []*batch
	c.advance(p)
	patience := p.timeout()
	for n := p.next; n < c.out.end() && len(late) < roundBatches; n++ {
		b := c.out.batch(n)
		if b.sent+patience > now && p.round == 0 {
			break
		}
		if !p.has(b) {
			late = append(late, b)
		}
	}
	if len(late) == 0 {
		c.rearm(now, p)
		return
	}
	p.round++
	c.stale = true // if it is a relay, its POP is sent to directly from now on
	switch {
	case p.round > maxRounds:
		p.left, p.deadline, p.again = true, 0, nil
		p.next = c.out.end()
		c.count.Left++
		return
	case p.round > packetRounds:
		c.push(Target{ID: p.ID}, rangesOf(late)...)
	default:
		c.again(now, p, late)
	}
	p.deadline = now + p.timeout()
}

func (c *Core) again(now time.Duration, p *peer, late []*batch) {
	var packets, large = []uint64(nil), []*batch(nil)
	for _, b := range late {
		if b.data == nil {
			large = append(large, b)
		} else {
			packets = append(packets, b.number)
		}
	}
	if len(large) > 0 {
		c.push(Target{ID: p.ID}, rangesOf(large)...)
	}
	c.count.Retransmits += uint64(len(packets))
	c.resend(p, packets)
	p.again, p.againAt = packets, now+repeatAfter
}

// resend sends batches to one member, those that it still lacks.
func (c *Core) resend(p *peer, numbers []uint64) {
	content := make([]byte, 0, seal.MaxContent)
	to := []Target{{ID: p.ID}}
	for _, n := range numbers {
		b := c.out.batch(n)
		if b == nil || p.has(b) {
			continue
		}
		if len(content)+wire.MaxBatchOverhead+len(b.data) > seal.MaxContent {
			c.actions.Sends = append(c.actions.Sends, Send{Content: content, To: to})
			content = make([]byte, 0, seal.MaxContent)
		}
		content = wire.AppendBatch(content, b.number, b.data)
	}
	if len(content) > 0 {
		c.actions.Sends = append(c.actions.Sends, Send{Content: content, To: to})
	}
}

// rangesOf returns batches as ranges, neighbours joined.
func rangesOf(batches []*batch) []journal.Range {
	var out []journal.Range
	for _, b := range batches {
		if n := len(out); n > 0 && out[n-1].Incarnation == b.inc {
			out[n-1].Spans = out[n-1].Spans.Union(journal.Spans{b.span})
			continue
		}
		out = append(out, b.ranges())
	}
	return out
}
