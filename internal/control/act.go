package control

import (
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Whatever changes something here is an entry of the journal first. The journal
// gives it a position, calls takeEffect, and passes it on; other nodes' entries
// come the same way. So there is one order on a node, and one piece of code that
// gives entries their effect.

// begin takes up what the journal has kept and starts it. Nothing is stored yet,
// so purges of before withdraw nothing: only their receipts come back.
func (c *Control) begin() {
	c.tokens.take(c.parts.Journal.State().All())
	replayed := false
	c.parts.Journal.Start(func(steps []durable.Step) {
		for i := range steps {
			c.takeEffect(&steps[i], !replayed && !steps[i].Own)
		}
	})
	replayed = true
	c.parts.Applied.Everything(c.parts.Journal.Position())
}

// takeEffect gives an entry its effect. It is called under the journal's lock, in
// the order of positions.
func (c *Control) takeEffect(step *durable.Step, past bool) {
	c.tokens.take(step.Changed)
	e := &step.Entry
	switch {
	case step.Gap:
		c.withdrawAll(step)
		if !step.Adopted && !past {
			c.counts.gaps.Add(1)
		}
	case e.By != 0: // a later entry does what this asked for
	case e.Kind == journal.KindPurge:
		c.takePurge(step, past)
	case e.Kind == journal.KindRevert:
		c.takeRevert(step, past)
	}
}

func (c *Control) takePurge(step *durable.Step, past bool) {
	r, err := parsePurge(step.Entry.Body, &c.words)
	if err != nil {
		// It asks for something to be withdrawn, and nobody here knows what.
		c.withdrawAll(step)
		c.counts.gaps.Add(1)
		return
	}
	now := c.parts.Now()
	svc := c.state.Load().services[r.Service]
	byUnsafe := r.Dialect == dialectHTTP
	if svc != nil && !past {
		c.parts.Applied.Purge(svc.ID, step.Position, step.Entry.ID)
	}
	if byUnsafe && step.Own {
		return // in force here since the request
	}
	if svc != nil && !past {
		m := marksOf(c.parts.Hasher, svc, r.Selectors)
		c.addPredicates(&m, svc, r.Selectors)
		r.everything = m.everything
		applied := c.parts.Engine.Apply(now.UnixNano(), purge.Purge{
			ID: r.ID, Service: svc.ID, Tags: m.tags, Predicates: m.predicates, Effect: r.Effect, All: m.everything, Position: step.Position,
		})
		if applied.Void && step.Own {
			c.ledger.reverted(Reverted{ID: r.ID, Outcome: purge.Undone, Time: now})
		}
		if applied.Known {
			past = true // another entry has brought it: it was issued anew
		}
	}
	if step.Own || byUnsafe {
		return // whoever issued it makes the receipt; there is none of the other
	}
	r.Position, r.Entry = step.Position, step.Entry.ID
	c.ledger.add(&r)
	if !past {
		c.counts.received.Add(1)
		c.parts.Received(Heard{&r})
	}
}

func (c *Control) takeRevert(step *durable.Step, past bool) {
	rev, err := parseRevert(step.Entry.Body)
	if err != nil {
		return // what is withdrawn stays so
	}
	now := c.parts.Now()
	if step.Own {
		now, rev.Entry = rev.Time, step.Entry.ID // at that time it was not too late
	}
	if undo := c.parts.Engine.Foresee(now.UnixNano(), rev.ID); !past && undo != purge.UndoTooLate && undo != purge.UndoneAlready {
		r, _ := c.ledger.get(rev.ID)
		c.parts.Applied.Reverted(r.Service, rev.ID)
	}
	rev.Outcome = c.parts.Engine.Revert(now.UnixNano(), rev.ID)
	if rev.Outcome == purge.UndoneAhead && (past || !c.ledger.has(rev.ID)) {
		rev.Outcome = purge.Undone // nothing of the purge is, or will be, in force here
	}
	if rev.Outcome != purge.Undone && rev.Outcome != purge.UndoneInPart {
		return
	}
	c.ledger.reverted(rev)
	if !step.Own && !past {
		c.parts.ReceivedRevert(c.revertedElsewhere(rev))
	}
}

// withdrawAll withdraws everything, because what was to be withdrawn is not
// known and will not be.
func (c *Control) withdrawAll(step *durable.Step) {
	c.parts.Applied.Everything(step.Position)
	now := c.parts.Now()
	for _, svc := range c.state.Load().services {
		c.parts.Engine.Apply(now.UnixNano(), purge.Purge{
			ID: purge.NewID(now.UnixMilli()), Service: svc.ID, Tags: []field.Tag{c.parts.Hasher.All(svc.ID)},
			Position: step.Position,
		})
	}
}

// issue makes the purge of a receipt take effect here and on its way to other
// nodes, waits until it is on disk, and completes the receipt.
func (c *Control) issue(svc *service, m marks, r *Receipt) error {
	r.ID, r.Service = purge.NewID(r.Accepted.UnixMilli()), svc.ID
	r.Effect.At = r.Accepted.UnixNano()
	r.Effect = r.Effect.Normal()
	done, err := c.append(journal.Draft{Kind: journal.KindPurge, Same: c.same(r), Body: appendPurge(nil, r)})
	if err != nil {
		return err
	}
	r.Position, r.Entry, r.everything = done.position, done.id, m.everything
	r.Took = c.parts.Now().Sub(r.Accepted)
	if err := done.durable(); err != nil {
		return err
	}
	r.Saved = c.parts.Now().Sub(r.Accepted)
	return nil
}

// same tells purges that do what others did: hard ones that name the same. The
// hash is only compared with others of this incarnation.
func (c *Control) same(r *Receipt) uint64 {
	if r.Effect.Mode != purge.Hard {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(c.seed)
	h.WriteString(r.Service)
	for i := range r.Selectors {
		h.Write(appendSelector([]byte{0}, &r.Selectors[i]))
	}
	return h.Sum64()
}

// journalError puts an error of the journal in this package's words.
func journalError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, durable.ErrNotDurable):
		return fmt.Errorf("%w: %w", ErrNotSaved, err)
	case errors.Is(err, journal.ErrBadEntry):
		return fmt.Errorf("%w: the purge is too long to be passed on; split it: %w", ErrBadRequest, err)
	case errors.Is(err, journal.ErrFull):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
