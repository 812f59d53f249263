package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/rescind-edge/rescind/internal/cluster/spread"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal/state"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

// maxState is the most bytes of a whole state in an answer.
const maxState = state.MaxBytes + 1

// encodedState returns the whole replicated state, after a byte that says
// whether it is complete.
func (c *Cluster) encodedState() []byte {
	m, complete := c.cfg.Journal.State()
	body := []byte{0}
	if complete {
		body[0] = 1
	}
	return journalwire.AppendState(body, m)
}

// pullState takes over a member's replicated state, and tells whether that
// changed anything: the caller is to call stateChanged then.
func (c *Cluster) pullState(ctx context.Context, from *peer) (changed bool, err error) {
	answer, err := c.dialer.call(ctx, from, wire.OpState, nil, maxState)
	if err == nil {
		changed, err = c.mergeState(answer)
	}
	if err != nil {
		return false, fmt.Errorf("take over the state of %s: %w", from.name, err)
	}
	return changed, nil
}

// complete tells whether this node's state is all that the cluster has. It is
// asked for until it is.
func (c *Cluster) complete() bool {
	if c.health.complete.Load() {
		return true
	}
	_, complete := c.cfg.Journal.State()
	if complete {
		c.health.complete.Store(true)
	}
	return complete
}

var errEmpty = errors.New("an empty message")

// takeState takes a state that was sent unasked.
func (c *Cluster) takeState(body []byte) error {
	changed, err := c.mergeState(body)
	if changed {
		c.stateChanged()
	}
	return err
}

func (c *Cluster) mergeState(body []byte) (changed bool, err error) {
	if len(body) == 0 {
		return false, errEmpty
	}
	theirs, err := journalwire.ParseState(body[1:])
	if err != nil {
		return false, err
	}
	items, err := c.cfg.Journal.MergeState(theirs, body[0] == 1)
	if len(items) > 0 {
		c.stateStale()           // now, and not when the roster has been read again: see vanished guests in proof
		c.applied(spread.Debt{}) // a roster that shrinks in a crash has a majority too easily
	}
	return len(items) > 0, err
}

// give sends the whole state to some members, and returns how many have it.
func (c *Cluster) give(ctx context.Context, to []*peer) (given int, err error) {
	body := c.encodedState()
	if len(body) > maxRequest {
		return 0, errors.New("the state is too large to be sent unasked; others will ask for it")
	}
	for _, p := range to {
		if _, failed := c.dialer.call(ctx, p, wire.OpGive, body, maxAnswer); failed != nil {
			err = fmt.Errorf("give the state to %s: %w", p.name, failed)
			continue
		}
		given++
	}
	return given, err
}
