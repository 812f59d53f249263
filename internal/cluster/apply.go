package cluster

import (
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

const (
	// maxBatchesWaiting is how many batches wait to be applied, at most 1,200
	// bytes each: half a second at the highest rate planned for. What comes
	// beyond is dropped, and sent again.
	maxBatchesWaiting = 1024
	// applyTogether is how many waiting batches are given to the journal at
	// once.
	applyTogether = 32
)

// arrival is a batch that has come in a packet.
type arrival struct {
	data   []byte
	number uint64
	src    source
	at     time.Duration
}

// applyBatches gives what comes in packets to the journal.
func (c *Cluster) applyBatches() {
	for {
		select {
		case <-c.ctx.Done():
			return
		case first := <-c.batches:
			c.applySome(first)
		}
	}
}

func (c *Cluster) applySome(first arrival) {
	some := []arrival{first}
	for len(some) < applyTogether {
		select {
		case next := <-c.batches:
			some = append(some, next)
			continue
		default:
		}
		break
	}
	var entries []journal.Entry
	var debts []debt
	for _, a := range some {
		part, err := journalwire.ParseBatch(a.data)
		if err != nil || len(part) == 0 {
			c.stats.malformed.Add(1)
			continue
		}
		inc := part[0].Incarnation
		c.core.Lock()
		c.core.Issues(a.src.session, inc)
		if a.src.origin != nil {
			c.core.Issued(inc, a.src.origin.id)
		}
		c.core.Unlock()
		if a.src.via != nil {
			debts = append(debts, debt{to: a.src.via.id, inc: inc, at: a.at})
		}
		entries = append(entries, part...)
	}
	if err := c.receive(entries); err != nil {
		for _, a := range some {
			c.core.Lock()
			c.core.Unreceived(a.src.session, a.number)
			c.core.Unlock()
		}
		return
	}
	c.syncs.add(debts...)
}

// receive gives entries of others to the journal, at most journal.MaxBatch at a
// time, and publishes what had to be issued anew. The first of several errors is
// logged, all are counted.
func (c *Cluster) receive(entries []journal.Entry) error {
	for len(entries) > 0 {
		n := min(len(entries), journal.MaxBatch)
		reissued, err := c.cfg.Journal.Receive(entries[:n])
		if err != nil {
			c.stats.receiveErrors.Add(1)
			if c.says.receive.failed() {
				c.log.Error("entries of other nodes cannot be applied; they are asked for again until they can", "error", err)
			}
			return err
		}
		if c.says.receive.worked() {
			c.log.Info("entries of other nodes are applied again")
		}
		c.Publish(reissued)
		entries = entries[n:]
	}
	return nil
}

// debt is an acknowledgement that is owed once everything is durable.
type debt struct {
	to  wire.ID
	inc journal.Incarnation
	at  time.Duration // when the entries came
}

type debtKey struct {
	to  wire.ID
	inc journal.Incarnation
}

// maxDebts bounds what waits for a disk that does not answer. Who is forgotten
// sends again.
const maxDebts = 8192

// syncQueue holds debts until the next sync.
type syncQueue struct {
	mu struct {
		sync.Mutex
		debts map[debtKey]time.Duration
	}
	more chan struct{}
}

func (q *syncQueue) init() {
	q.mu.debts = make(map[debtKey]time.Duration)
	q.more = make(chan struct{}, 1)
}

func (q *syncQueue) add(debts ...debt) {
	q.mu.Lock()
	for _, d := range debts {
		if len(q.mu.debts) < maxDebts {
			q.mu.debts[debtKey{d.to, d.inc}] = d.at
		}
	}
	q.mu.Unlock()
	select {
	case q.more <- struct{}{}:
	default:
	}
}

func (q *syncQueue) take() map[debtKey]time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	debts := q.mu.debts
	q.mu.debts = make(map[debtKey]time.Duration)
	return debts
}

func (q *syncQueue) putBack(debts map[debtKey]time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, at := range debts {
		if _, newer := q.mu.debts[key]; !newer && len(q.mu.debts) < maxDebts {
			q.mu.debts[key] = at
		}
	}
}

// syncRetry is how long to wait after a sync has failed.
const syncRetry = time.Second

// syncApplied makes what was applied durable and then acknowledges it.
func (c *Cluster) syncApplied() {
	failing := false
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.syncs.more:
		}
		debts := c.syncs.take()
		err := c.cfg.Journal.Sync(c.ctx)
		if err != nil {
			if c.ctx.Err() != nil {
				return
			}
			if !failing {
				c.log.Error("nothing is acknowledged: the journal is not durable", "error", err)
			}
			failing = true
			c.syncs.putBack(debts)
			if !c.pause(syncRetry) {
				return
			}
			c.syncs.add()
			continue
		}
		if failing {
			c.log.Info("acknowledging again: the journal is durable")
		}
		failing = false
		now := c.now()
		for key, at := range debts {
			c.owe(key.to, key.inc, now-at)
		}
	}
}

// owe acknowledges what is durable of an incarnation.
func (c *Cluster) owe(to wire.ID, inc journal.Incarnation, delay time.Duration) {
	row := c.cfg.Journal.DurableRow(inc)
	if row.Top() == 0 {
		return
	}
	ack := wire.Ack{Receiver: c.self, Incarnation: inc, Head: row.Head, Above: row.Above, Delay: delay}
	c.core.Lock()
	c.core.Owe(c.now(), to, ack)
	actions := c.core.Take()
	c.core.Unlock()
	c.perform(actions)
	c.poke()
}
