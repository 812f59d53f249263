package cluster

import (
	"context"

	"github.com/rescind-edge/rescind/internal/cluster/spread"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

// answer does what another member asks on a stream.
func (c *Cluster) answer(ctx context.Context, from string, r wire.Request) (wire.Status, []byte) {
	var body []byte
	var err error
	switch r.Op {
	case wire.OpSync:
		body, err = c.answerSync(ctx, from, r.Body)
	case wire.OpFetch:
		body, err = c.answerFetch(r.Body)
	case wire.OpPush:
		err = c.answerPush(from, r.Body)
	case wire.OpState:
		body = c.encodedState()
	case wire.OpGive:
		err = c.takeState(r.Body)
	case wire.OpQuery:
		body, err = c.answerQuery(ctx, from, r.Body)
	default:
		return wire.StatusUnknown, nil
	}
	if err != nil {
		c.stats.refusedRequests.Add(1)
		return wire.StatusFailed, []byte(err.Error())
	}
	return wire.StatusOK, body
}

// answerSync says what this node knows, as far as it differs.
func (c *Cluster) answerSync(ctx context.Context, from string, body []byte) ([]byte, error) {
	ask, err := wire.ParseSync(body)
	if err != nil {
		return nil, err
	}
	theirs, err := journalwire.ParseDigests(ask.Digests)
	if err != nil {
		return nil, err
	}
	c.learnIssuers(ask.Issuers, wire.IDOf(from))
	// Heartbeats first: what they promise must be in the vector. So must be, for a node
	// that finds itself in this state, what was known when it came into it.
	beats, state := c.beats(), c.stateDigest()
	known := c.cfg.Journal.Known()
	mine := known.Digests()
	reply := wire.SyncReply{
		Parts: mine.Differ(&theirs), State: state, Issuers: c.issuers(),
		Acks: c.acksFor(ask.Issuers), Beats: beats,
	}
	reply.Vector = journalwire.AppendVector(nil, known.In(reply.Parts))
	return reply.Append(nil), ctx.Err()
}

// acksFor says what is durable here of another's incarnations.
func (c *Cluster) acksFor(issuers []journal.Incarnation) []byte {
	var out []byte
	for _, inc := range issuers {
		if row := c.cfg.Journal.DurableRow(inc); row.Top() > 0 {
			out = wire.AppendAck(out, &wire.Ack{Receiver: c.self, Incarnation: inc, Head: row.Head, Above: row.Above})
		}
	}
	return out
}

// acknowledgeTo acknowledges to a member what this node has of its incarnations.
func (c *Cluster) acknowledgeTo(to *peer, issuers []journal.Incarnation) {
	at := c.now()
	var debts []spread.Debt
	for _, inc := range issuers {
		debts = append(debts, spread.Debt{To: to.id, Incarnation: inc, Came: at})
	}
	c.applied(debts...)
}

func (c *Cluster) learnIssuers(issuers []journal.Incarnation, by wire.ID) {
	c.core.Lock()
	defer c.core.Unlock()
	for _, inc := range issuers {
		c.core.Issued(inc, by)
	}
}

// issuers returns the own incarnations, the present one first.
func (c *Cluster) issuers() []journal.Incarnation {
	own, issued := c.cfg.Journal.Own()
	var out []journal.Incarnation
	if issued > 0 {
		out = append(out, own)
	}
	c.proof.Lock()
	defer c.proof.Unlock()
	if issued > 0 {
		c.proof.own[own] = true
	}
	for inc := range c.proof.own {
		if inc != own && len(out) < wire.MaxIssuers {
			out = append(out, inc)
		}
	}
	return out
}

// answerFetch supplies entries.
func (c *Cluster) answerFetch(body []byte) ([]byte, error) {
	ranges, err := journalwire.ParseRanges(body)
	if err != nil {
		return nil, err
	}
	supply := c.cfg.Journal.Supply(journal.Request{Ranges: ranges, MayCover: c.cfg.MayCover})
	batch, taken := journalwire.AppendBatch(nil, supply.Entries, maxBatchMessage)
	c.stats.supplied.Add(uint64(taken))
	return batch, nil
}

// maxBatchMessage is the most bytes of entries in one message, unless one entry
// is larger: what a supply has, and the heads of its entries.
const maxBatchMessage = journal.MaxBatchBytes + 64*journal.MaxBatch

// answerPush takes entries that another member sends.
func (c *Cluster) answerPush(from string, body []byte) error {
	if len(body) == 0 {
		return wire.ErrMalformed
	}
	hop, entries := body[0] == 1, body[1:]
	batch, err := journalwire.ParseBatch(entries)
	if err != nil {
		return err
	}
	if len(batch) == 0 {
		return nil
	}
	by := wire.IDOf(from)
	if hop {
		c.learnIssuers([]journal.Incarnation{batch[0].Incarnation}, by)
	}
	if err := c.receive(batch); err != nil {
		return err
	}
	c.applied(spread.Debt{
		To: by, Incarnation: batch[0].Incarnation, Came: c.now(),
		New: journal.Span{First: batch[0].Seq, Last: batch[len(batch)-1].Seq},
	})
	if hop {
		c.pushOn(by, batch)
	}
	return nil
}

// learned acknowledges to their issuers what was fetched from anybody.
func (c *Cluster) learned(entries []journal.Entry) {
	at := c.now()
	spans := map[journal.Incarnation]journal.Span{}
	for i := range entries {
		id := entries[i].ID
		span, seen := spans[id.Incarnation]
		if !seen {
			span = journal.Span{First: id.Seq, Last: id.Seq}
		}
		spans[id.Incarnation] = journal.Span{First: min(span.First, id.Seq), Last: max(span.Last, id.Seq)}
	}
	var debts []spread.Debt
	for inc, span := range spans {
		c.core.Lock()
		to, known := c.core.IssuerOf(inc)
		c.core.Unlock()
		if !known || to == c.self {
			to = 0 // it is to be made durable all the same
		}
		debts = append(debts, spread.Debt{To: to, Incarnation: inc, Came: at, New: span})
	}
	c.applied(debts...)
}
