package durable

import (
	"context"
	"fmt"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

// commit is what goes to the disk together. Until it is taken by the one who
// writes, it grows under the journal's lock.
type commit struct {
	memory   bool // there is no disk
	payloads [][]byte
	bytes    int
	entries  []recorded     // in it
	scratch  []byte         // for one record
	vector   journal.Vector // rows recorded in it
	ceiling  field.Position // reserved in it
	whole    bool           // it has all that there is

	done chan struct{} // closed when it has been written, or failed
	err  error         // set before
}

// recorded is an entry that is in a commit.
type recorded struct {
	journal.ID
	time int64
}

func newCommit(memory bool) *commit {
	return &commit{memory: memory, done: make(chan struct{})}
}

// Memory is kept between two commits for what some hundred entries take.
const (
	spareBytes   = 64 << 10
	spareEntries = 1 << 10
)

// reuse takes over the memory of a commit that is written, which is empty then;
// others may still wait for it.
func (c *commit) reuse(written *commit) {
	if written == nil {
		return
	}
	if len(written.payloads) == 1 && cap(written.payloads[0]) <= spareBytes {
		c.payloads = append(written.payloads[:0], written.payloads[0][:0])
	}
	if cap(written.entries) <= spareEntries {
		c.entries = written.entries[:0]
	}
	if cap(written.scratch) <= spareBytes {
		c.scratch = written.scratch
	}
	written.payloads, written.entries, written.scratch = nil, nil, nil
}

// empty tells whether there is nothing to write.
func (c *commit) empty() bool { return c.bytes == 0 }

// room returns the payload to add to, which has place for a record of some bytes.
func (c *commit) room() *[]byte {
	n := len(c.payloads)
	if n == 0 || len(c.payloads[n-1]) >= targetFrame {
		c.payloads = append(c.payloads, nil)
		n++
	}
	return &c.payloads[n-1]
}

func (c *commit) add(fill func([]byte) []byte) {
	if c.memory {
		return
	}
	p := c.room()
	before := len(*p)
	*p = fill(*p)
	c.bytes += len(*p) - before
}

func (c *commit) number(t recordType, n uint64) {
	if t == recCeiling {
		c.ceiling = field.Position(n)
	}
	c.add(func(b []byte) []byte { return appendNumber(b, t, n) })
}

func (c *commit) entry(pos field.Position, arrived int64, e *journal.Entry) {
	if c.memory {
		return
	}
	c.add(func(b []byte) []byte {
		b, c.scratch = appendEntry(b, c.scratch, pos, arrived, e)
		return b
	})
	c.entries = append(c.entries, recorded{e.ID, e.Time})
}

func (c *commit) rows(v journal.Vector) {
	rowRecords(v, func(t recordType, data []byte) {
		c.add(func(b []byte) []byte { return appendRecord(b, t, data) })
	})
	if !c.memory {
		c.vector = c.vector.Merge(v)
	}
}

func (c *commit) item(i *state.Item) {
	c.add(func(b []byte) []byte { return appendItem(b, i) })
}

func (c *commit) state(horizon int64, complete bool) {
	c.add(func(b []byte) []byte { return appendState(b, horizon, complete) })
}

// clear drops what was added; who waits goes on waiting.
func (c *commit) clear() {
	c.payloads, c.bytes, c.entries, c.vector, c.ceiling = nil, 0, nil, nil, 0
}

// before puts an earlier commit, which failed, in front of c.
func (c *commit) before(failed *commit) {
	if c.empty() {
		c.payloads = nil // memory for them at most
	}
	c.payloads = append(failed.payloads, c.payloads...)
	c.bytes += failed.bytes
	c.entries = append(failed.entries, c.entries...)
	c.vector = failed.vector.Merge(c.vector)
	c.ceiling = max(c.ceiling, failed.ceiling)
}

// Ticket stands for what waits for the disk. The zero Ticket waits for nothing.
type Ticket struct {
	j *Journal
	c *commit
}

// ticketLocked returns the ticket for all that was noted up to now, and keeps
// what waits within its bound.
func (j *Journal) ticketLocked() Ticket {
	if j.mu.next.bytes > j.maxPending {
		j.mu.rewrite = true
	}
	if j.mu.rewrite {
		j.mu.next.clear()
	}
	switch {
	case j.cfg.FS == nil:
		return Ticket{}
	case !j.mu.next.empty() || j.mu.rewrite:
		return Ticket{j, j.mu.next}
	case j.mu.current != nil:
		return Ticket{j, j.mu.current} // nothing is new, but what is known may not be on disk yet
	}
	return Ticket{}
}

// Wait returns when everything up to the ticket is on disk. It writes it there,
// with all else that waits, unless somebody does already. The error wraps
// ErrNotDurable, or is the context's; the entries stay in force in both cases.
func (t Ticket) Wait(ctx context.Context) error {
	if t.c == nil {
		return nil
	}
	for {
		select {
		case <-t.c.done:
			return t.c.err
		default:
		}
		select {
		case <-t.c.done:
			return t.c.err
		case <-ctx.Done():
			return ctx.Err()
		case t.j.writing <- struct{}{}:
			t.j.writeNext()
			<-t.j.writing
		}
	}
}

// Sync writes whatever waits for the disk and returns when it is there. The
// error wraps ErrNotDurable, or is the context's.
func (j *Journal) Sync(ctx context.Context) error {
	if j.cfg.FS == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case j.writing <- struct{}{}:
	}
	defer func() { <-j.writing }()
	return j.writeNext()
}

// writeNext writes what waits. The caller holds writing.
func (j *Journal) writeNext() error {
	c, mark := j.takeNext()
	if c.err == nil && !c.empty() {
		c.err = j.write(c.payloads, mark)
	}
	j.settle(c)
	close(c.done)
	return c.err
}

// takeNext takes what waits, and lets a new commit begin.
func (j *Journal) takeNext() (*commit, segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.mu.next
	j.mu.next, j.mu.current = newCommit(false), c
	j.mu.next.reuse(j.mu.spare)
	j.mu.spare = nil
	if j.mu.rewrite {
		j.everythingLocked(c)
	}
	if j.mu.closed {
		c.err = fmt.Errorf("%w: %w", ErrNotDurable, ErrClosed)
	}
	kept, _ := j.mu.set.Arrivals()
	return c, segment{arrivals: kept, position: j.mu.position}
}

// everythingLocked fills a commit with all that is in memory, in place of what
// was dropped while the disk took nothing. Entries get the present position: who
// replays them withdraws too much, never too little. What was dropped from memory
// meanwhile is nowhere: where effects are on disk, all that was stored before
// goes with it.
func (j *Journal) everythingLocked(c *commit) {
	c.clear()
	c.whole = true
	j.generalLocked(c)
	if j.cfg.Snapshots {
		c.number(recGap, uint64(j.mu.position))
	}
	j.mu.set.Each(func(arrived int64, e *journal.Entry) {
		c.add(func(b []byte) []byte {
			b, c.scratch = appendEntry(b, c.scratch, j.mu.position, arrived, e)
			return b
		})
	})
}

// generalLocked adds everything but entries.
func (j *Journal) generalLocked(c *commit) {
	c.rows(j.mu.set.Vector())
	all := j.mu.state.All()
	for i := range all {
		c.item(&all[i])
	}
	c.state(j.mu.state.Horizon(), j.mu.complete)
	c.number(recCeiling, uint64(j.mu.asked))
}

// commitBytes is about how much is synced at once: more is written in several
// commits, each of which may stay if a later one fails.
const commitBytes = 4 << 20

// write writes payloads, and notes which segments hold what.
func (j *Journal) write(payloads [][]byte, mark segment) error {
	for len(payloads) > 0 {
		n, bytes := 0, 0
		for n < len(payloads) && (n == 0 || bytes+len(payloads[n]) <= commitBytes) {
			bytes += len(payloads[n])
			n++
		}
		if err := j.w.commit(payloads[:n]); err != nil {
			return fmt.Errorf("%w: %w", ErrNotDurable, err)
		}
		if last := len(j.segments) - 1; last < 0 || j.segments[last].number != j.w.number {
			j.segments = append(j.segments, segment{number: j.w.number})
		}
		mark.number = j.w.number
		j.segments[len(j.segments)-1] = mark
		payloads = payloads[n:]
	}
	return nil
}

// settle notes what a commit made durable, or has it written again.
func (j *Journal) settle(c *commit) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.failing, j.mu.current = c.err, nil
	if c.err != nil {
		j.mu.next.before(c)
		j.ticketLocked() // drops it where it is too much
		return
	}
	for _, e := range c.entries {
		j.mu.durable.Note(e.ID, e.time)
	}
	for inc, row := range c.vector {
		j.mu.durable[inc] = j.mu.durable[inc].Merge(row)
	}
	j.mu.ceiling = max(j.mu.ceiling, c.ceiling)
	j.mu.asked = max(j.mu.asked, j.mu.ceiling)
	if c.whole {
		j.mu.rewrite = false
	}
	j.mu.spare = c
}
