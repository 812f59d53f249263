package cluster

import (
	"context"
	"slices"
	"sync"

	"github.com/rescind-edge/rescind/internal/cluster/spread"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

const (
	// maxPushes is how many ranges wait to be sent to one member by stream. A
	// member for which more wait is slow: it compares vectors.
	maxPushes = 256
)

// pushQueues hold what goes by stream, a queue a member, so that a slow one
// holds up nobody else.
type pushQueues struct {
	mu struct {
		sync.Mutex
		waiting map[wire.ID][]spread.Push // has a key while its goroutine runs
	}
	wg sync.WaitGroup
}

func (q *pushQueues) init() { q.mu.waiting = make(map[wire.ID][]spread.Push) }

func (q *pushQueues) wait() { q.wg.Wait() }

// add queues a push; first says that nobody works on the queue yet.
func (q *pushQueues) add(p spread.Push) (first, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting, running := q.mu.waiting[p.To.ID]
	if len(waiting) >= maxPushes {
		return false, false
	}
	q.mu.waiting[p.To.ID] = append(waiting, p)
	return !running, true
}

// next takes the first push of a queue and those behind it that are alike.
func (q *pushQueues) next(id wire.ID) (spread.Push, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.mu.waiting[id]
	if len(waiting) == 0 {
		delete(q.mu.waiting, id)
		return spread.Push{}, false
	}
	p := waiting[0]
	n := 1
	for n < len(waiting) && waiting[n].To.Hop == p.To.Hop {
		p.Ranges = append(slices.Clip(p.Ranges), waiting[n].Ranges...)
		n++
	}
	q.mu.waiting[id] = waiting[n:]
	return p, true
}

func (q *pushQueues) clear(id wire.ID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.mu.waiting, id)
}

// push sends entries by stream, soon.
func (c *Cluster) push(p spread.Push) {
	if c.ctx.Err() != nil {
		return
	}
	first, ok := c.pushes.add(p)
	if !ok {
		c.stats.pushesDropped.Add(1)
		return
	}
	if first {
		c.pushes.wg.Go(func() { c.pushAll(p.To.ID) })
	}
}

// pushAll works on a member's queue until it is empty, or the member fails.
func (c *Cluster) pushAll(id wire.ID) {
	for {
		p, ok := c.pushes.next(id)
		if !ok {
			return
		}
		to := c.view.Load().byID[id]
		if to == nil || c.pushRanges(to, p) != nil {
			c.stats.pushesDropped.Add(1)
			c.pushes.clear(id)
			return
		}
	}
}

func (c *Cluster) pushRanges(to *peer, p spread.Push) error {
	for _, r := range p.Ranges {
		supply := c.cfg.Journal.Supply(journal.Request{Ranges: []journal.Range{r}})
		for entries := supply.Entries; len(entries) > 0; {
			body := []byte{0}
			if p.To.Hop {
				body[0] = 1
			}
			body, taken := journalwire.AppendBatch(body, entries, maxBatchMessage)
			entries = entries[taken:]
			ctx, cancel := context.WithTimeout(c.ctx, requestTimeout)
			_, err := c.dialer.call(ctx, to, wire.OpPush, body, maxAnswer)
			cancel()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// pushOn sends what came by stream to the rest of the own POP.
func (c *Cluster) pushOn(from wire.ID, batch []journal.Entry) {
	ranges, size := rangesOf(batch), 0
	for i := range batch {
		size += len(batch[i].Body)
	}
	c.core.Lock()
	targets := c.core.PassOn(c.now(), from, size)
	c.core.Unlock()
	for _, t := range targets {
		c.push(spread.Push{To: t, Ranges: ranges})
	}
}

func rangesOf(batch []journal.Entry) []journal.Range {
	spans := map[journal.Incarnation]journal.Spans{}
	for i := range batch {
		id := batch[i].ID
		spans[id.Incarnation] = spans[id.Incarnation].Union(journal.Spans{{First: id.Seq, Last: id.Seq}})
	}
	var out []journal.Range
	for inc, s := range spans {
		out = append(out, journal.Range{Incarnation: inc, Spans: s})
	}
	slices.SortFunc(out, func(a, b journal.Range) int { return a.Incarnation.Compare(b.Incarnation) })
	return out
}
