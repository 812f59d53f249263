package control

import (
	"context"
	"fmt"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Revert takes a purge back: what it withdrew can be used again, as far as it
// is still stored and no other purge withdrew it. It needs what making the
// purge needed. Repeating it changes nothing and says so. The error wraps
// ErrUnauthenticated, ErrForbidden, ErrUnknownService, ErrUnknownPurge or
// ErrTooLate.
func (c *Control) Revert(creds Credentials, id purge.ID) (Reverted, error) {
	st := c.state.Load()
	who, err := c.authenticate(st, creds, c.parts.Now())
	if err != nil {
		return Reverted{}, c.deny(who, attempt{action: event.DeniedRevert}, err)
	}
	c.reverting.Lock()
	rev, service, durable, err := c.revert(st, who, id)
	c.reverting.Unlock()
	if err == nil {
		err = durable() // with those of others, in one sync
	}
	if err != nil {
		return Reverted{}, c.deny(who, attempt{action: event.DeniedRevert, service: service}, err)
	}
	if rev.Outcome != purge.UndoneAlready {
		c.counts.reverts.Add(1)
		c.parts.Sink.Reverted(event.Reverted{
			Time: rev.Time, ID: id.String(), Service: service,
			Outcome: rev.Outcome.String(), Actor: rev.Actor, Addr: creds.Addr,
		})
	}
	return rev, nil
}

// revert is called by one goroutine at a time. Nothing is to be said of what it
// returns before durable has returned.
func (c *Control) revert(st *state, who caller, id purge.ID) (rev Reverted, service string, durable func() error, err error) {
	receipt, ok := c.ledger.get(id)
	if !ok {
		if who.token == nil && !who.creds.local() {
			return Reverted{}, "", nil, ErrUnauthenticated
		}
		return Reverted{}, "", nil, fmt.Errorf("%w %v", ErrUnknownPurge, id)
	}
	if err := who.authorise(receipt.Service, st.services[receipt.Service], receipt.need()); err != nil {
		return Reverted{}, receipt.Service, nil, err
	}
	if done := receipt.Reverted; done != nil {
		again := *done
		again.Outcome = purge.UndoneAlready
		// By somebody else at this moment, perhaps, who waits for the disk.
		return again, receipt.Service, c.saved, nil
	}
	now := c.parts.Now()
	rev = Reverted{ID: id, Actor: who.actor(), Time: now}
	// Whoever is told that it is too late must be able to rely on the purge. So
	// nothing is issued then: another node, which got the purge later, could still
	// undo it. The purge was applied here, so an engine that does not know it has
	// carried it out and forgotten it.
	switch rev.Outcome = c.parts.Engine.Foresee(now.UnixNano(), id); rev.Outcome {
	case purge.Undone, purge.UndoneInPart:
	default:
		return Reverted{}, receipt.Service, nil, fmt.Errorf("%w purge %v", ErrTooLate, id)
	}
	done, err := c.append(journal.Draft{Kind: journal.KindRevert, Body: appendRevert(nil, &rev)})
	if err != nil {
		return Reverted{}, receipt.Service, nil, err
	}
	rev.Entry = done.id
	return rev, receipt.Service, done.durable, nil
}

// saved waits until all that is in force is on disk.
func (c *Control) saved() error { return journalError(c.parts.Journal.Sync(context.Background())) }
