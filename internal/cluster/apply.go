package cluster

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/spread"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

// arrival is a batch that has come in a packet, whose memory it shares.
type arrival struct {
	data   []byte
	number uint64
	src    source
	at     time.Duration
}

// applyBatches gives what has come in packets to the journal. Its memory may be
// used again then.
func (c *Cluster) applyBatches(in *intake) {
	if len(in.batches) == 0 {
		return
	}
	defer in.reset()
	debts := make([]spread.Debt, 0, len(in.batches))
	for i := range in.batches {
		a := &in.batches[i]
		n := len(in.entries)
		all, err := journalwire.ParseBatchInto(in.entries, a.data)
		if err != nil || len(all) == n {
			c.stats.malformed.Add(1)
			continue
		}
		in.entries = all
		inc := all[n].Incarnation
		c.core.Lock()
		c.core.Issues(a.src.session, inc)
		if a.src.origin != nil {
			c.core.Issued(inc, a.src.origin.id)
		}
		c.core.Unlock()
		d := spread.Debt{Incarnation: inc, New: journal.Span{First: all[n].Seq, Last: all[len(all)-1].Seq}}
		if a.src.via != nil {
			d.To = a.src.via.id
		}
		debts = append(debts, d)
	}
	if err := c.receive(in.entries); err != nil {
		c.core.Lock()
		defer c.core.Unlock()
		for i := range in.batches {
			c.core.Unreceived(in.batches[i].src.session, in.batches[i].number)
		}
		return
	}
	now := c.now()
	for i := range debts {
		debts[i].Came = now
	}
	c.applied(debts...)
}

// reset lets go what was read, and of memory what an ordinary load does not take.
func (in *intake) reset() {
	clear(in.batches)
	clear(in.entries)
	in.batches, in.entries = in.batches[:0], in.entries[:0]
	if cap(in.entries) > journal.MaxBatch {
		in.entries = nil
	}
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

// applied sees to it that what was applied becomes durable and is acknowledged.
func (c *Cluster) applied(debts ...spread.Debt) {
	now := c.now()
	c.core.Lock()
	defer c.core.Unlock()
	for _, d := range debts {
		c.core.syncs.by(c.core.Applied(now, d))
	}
}

// syncRetry is how long to wait after a sync has failed.
const syncRetry = time.Second

// syncApplied makes what was applied durable and then acknowledges it.
func (c *Cluster) syncApplied() {
	failing := false
	for c.core.syncs.sleep() {
		c.core.Lock()
		debts, due := c.core.TakeDebts(c.now())
		c.core.syncs.plan(c.core.SyncDue())
		c.core.Unlock()
		if !due {
			continue
		}
		switch err := c.cfg.Journal.Sync(c.ctx); {
		case err == nil:
			if failing {
				c.log.Info("acknowledging again: the journal is durable")
			}
			failing = false
			c.acknowledge(debts)
		case c.ctx.Err() != nil:
			return
		default:
			if !failing {
				c.log.Error("nothing is acknowledged: the journal is not durable", "error", err)
			}
			failing = true
			if !c.pause(syncRetry) {
				return
			}
			c.applied(debts...)
			c.applied(spread.Debt{}) // and what is owed to nobody
		}
	}
}

// acknowledge pays debts: what is durable of their incarnations is said.
func (c *Cluster) acknowledge(debts []spread.Debt) {
	now := c.now()
	rows := make([]journal.Row, len(debts))
	for i, d := range debts {
		rows[i] = c.cfg.Journal.DurableRow(d.Incarnation)
	}
	c.core.Lock()
	for i, d := range debts {
		if rows[i].Top() > 0 {
			ack := wire.Ack{
				Receiver: c.self, Incarnation: d.Incarnation, Head: rows[i].Head, Above: rows[i].Above, Delay: now - d.Came,
			}
			for _, r := range d.Earlier {
				ack.Runs = append(ack.Runs, wire.Run{First: r.First, Last: r.Last, Delay: now - r.At})
			}
			c.core.Acknowledge(now, d.To, ack)
		}
	}
	c.core.SendAcks(c.now())
	actions := c.takeLocked()
	c.core.Unlock()
	c.perform(actions)
}
