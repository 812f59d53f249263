package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

const (
	// graceTime is how long a node waits for what is on its way before it
	// fetches it: longer than a packet and its repetition take.
	graceTime = 200 * time.Millisecond
	// hurryFrom is from how many lacking entries on a node does not wait: that
	// many are not on their way, they were missed.
	hurryFrom = 2048
	// fetchRanges is the most ranges asked for at a time.
	fetchRanges = 1024
	// pullTimeout bounds an exchange: a day's entries over a slow line.
	pullTimeout = 5 * time.Minute
)

// errNoProgress is returned if a peer does not supply what it says it can.
var errNoProgress = errors.New("the member did not supply what it said it had")

// pulled is what came of an exchange.
type pulled struct {
	asked    time.Duration   // when, by the clock of heartbeats
	knew     bool            // the peer had this node in its roster when it answered
	complete bool            // everything that the peer knew has been applied
	gone     []journal.Range // what the peer knows and cannot supply
	vector   journal.Vector  // of the peer, as far as it differed
}

// pull asks a member what it knows, fetches what this node lacks, and counts the
// member's heartbeat once all of it has been applied. hurry says not to wait for
// what may be on its way. The error is of the network, the peer or the journal.
func (c *Cluster) pull(ctx context.Context, from *peer, hurry bool) (pulled, error) {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	asked := c.cfg.Clock()
	mine := c.cfg.Journal.Known().Digests()
	ask := wire.Sync{Issuers: c.issuers(), Digests: journalwire.AppendDigests(nil, &mine)}
	answer, err := c.ask(ctx, from, wire.OpSync, ask.Append(nil))
	if err != nil {
		return pulled{}, fmt.Errorf("ask %s what it knows: %w", from.name, err)
	}
	reply, err := wire.ParseSyncReply(answer)
	if err != nil {
		return pulled{}, fmt.Errorf("ask %s what it knows: %w", from.name, err)
	}
	vector, err := journalwire.ParseVector(reply.Vector)
	if err != nil {
		return pulled{}, fmt.Errorf("ask %s what it knows: %w", from.name, err)
	}
	c.stats.exchanges.Add(1)
	c.learnIssuers(reply.Issuers, from.id)
	if acks, err := wire.ParseAcks(reply.Acks); err == nil {
		for i := range acks {
			acks[i].Receiver = from.id
			c.takeAck(&acks[i])
		}
	}
	knew := reply.State == c.stateDigest() && !c.health.joined() && c.enlisted()
	if reply.State != c.stateDigest() || !c.complete() {
		changed, err := c.pullState(ctx, from)
		if changed {
			// Not before the heartbeats count: a roster that has grown is not to
			// isolate who has just been heard.
			defer c.stateChanged()
		}
		if err != nil {
			return pulled{}, err
		}
	}
	c.health.told.Store(true)
	got, err := c.catchUp(ctx, from, vector, reply.Parts, hurry)
	if hurry {
		// Who has been away does not know what this node has of its entries.
		c.acknowledgeTo(from, reply.Issuers)
	}
	if got.complete {
		c.countBeats(asked, from.id, reply.Beats)
	}
	got.asked, got.knew = asked, knew
	return got, err
}

// catchUp fetches what this node lacks of a peer's vector.
func (c *Cluster) catchUp(ctx context.Context, from *peer, vector journal.Vector, parts journal.BucketSet, hurry bool) (pulled, error) {
	reissued, err := c.cfg.Journal.Meet(vector)
	if err != nil {
		return pulled{}, err
	}
	c.Publish(reissued)
	if c.cfg.Empty && !c.health.joined() {
		if err := c.cfg.Journal.Adopt(vector); err != nil {
			return pulled{}, err
		}
	}
	diff := c.cfg.Journal.Compare(vector, parts)
	if n := journal.CountOf(diff.Want); n > 0 && n < hurryFrom && !hurry {
		if !c.pause(graceTime) {
			return pulled{}, context.Canceled
		}
		diff = c.cfg.Journal.Compare(vector, parts)
	}
	for len(diff.Want) > 0 {
		before := journal.CountOf(diff.Want)
		if err := c.fetch(ctx, from, diff.Want); err != nil {
			return pulled{vector: vector}, err
		}
		diff = c.cfg.Journal.Compare(vector, parts)
		if len(diff.Want) > 0 && journal.CountOf(diff.Want) >= before {
			return pulled{vector: vector}, fmt.Errorf("fetch from %s: %w", from.name, errNoProgress)
		}
	}
	return pulled{complete: len(diff.Gone) == 0, gone: diff.Gone, vector: vector}, nil
}

// fetch asks a member for entries, as many as it sends at once.
func (c *Cluster) fetch(ctx context.Context, from *peer, ranges []journal.Range) error {
	body := journalwire.AppendRanges(nil, ranges[:min(len(ranges), fetchRanges)])
	answer, err := c.ask(ctx, from, wire.OpFetch, body)
	if err != nil {
		return fmt.Errorf("fetch from %s: %w", from.name, err)
	}
	entries, err := journalwire.ParseBatch(answer)
	if err != nil {
		return fmt.Errorf("fetch from %s: %w", from.name, err)
	}
	if len(entries) == 0 {
		return nil
	}
	if err := c.receive(entries); err != nil {
		return err
	}
	c.stats.repaired.Add(uint64(len(entries)))
	c.learned(entries)
	return nil
}

// ask asks a member for something that it answers within requestTimeout, or not at
// all: a stream that has broken without a word must not hold an exchange up, nor
// the next one.
func (c *Cluster) ask(ctx context.Context, from *peer, op wire.Op, body []byte) ([]byte, error) {
	patient, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := c.dialer.call(patient, from, op, body, maxAnswer)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		c.dialer.hangUp(from.name)
	}
	return answer, err
}

// Fetch takes entries over from one member, and returns once they are in force.
// The error wraps ErrNotAlive, ErrBusy or ErrAnswer, or is of the network or the
// context.
func (c *Cluster) Fetch(ctx context.Context, member string, ranges []journal.Range) error {
	from := c.view.Load().byName(member)
	if from == nil {
		return fmt.Errorf("%w: %s", ErrNotAlive, member)
	}
	return c.fetch(ctx, from, ranges)
}
