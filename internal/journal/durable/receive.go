package durable

import "github.com/rescind-edge/rescind/internal/journal"

// Received says what became of the entries of a batch.
type Received struct {
	Outcomes []journal.Outcome // by index in the batch
	New      int               // entries taken
	Refused  int
	// Reissued are entries of this node that it issued anew under another
	// incarnation, since its own turned out to be used by somebody else too.
	Reissued []journal.Entry
}

// Receive takes entries that others issued. When it returns, those taken are in
// force; they may be acknowledged when the ticket says so. It keeps no memory of
// the batch.
// The error wraps ErrPositions or is ErrClosed; nothing was taken then.
func (j *Journal) Receive(entries []journal.Entry) (Received, Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	got := Received{Outcomes: make([]journal.Outcome, len(entries))}
	err := j.readyLocked()
	if err == nil {
		err = j.roomLocked(len(entries))
	}
	if err != nil {
		return Received{}, Ticket{}, err
	}
	now := j.now()
	steps := j.mu.steps[:0]
	for i := range entries {
		steps = j.acceptLocked(now, &entries[i], &got, i, steps)
	}
	if len(steps) > 0 {
		j.mu.apply(steps)
	}
	clear(steps)
	if j.mu.steps = steps; cap(steps) > keptSteps {
		j.mu.steps = nil
	}
	return got, j.ticketLocked(), nil
}

// keptSteps is for how many steps memory is kept between two calls: what comes in
// packets at once has fewer.
const keptSteps = 512

// offerLocked offers an entry to the set. One that is not known is cloned first:
// it lies in a buffer that will be used again.
func (j *Journal) offerLocked(now int64, e **journal.Entry) journal.Outcome {
	if !j.mu.set.Knows((*e).ID) {
		j.mu.offered = (*e).Clone()
		*e = &j.mu.offered
	}
	return j.mu.set.Accept(now, *e)
}

func (j *Journal) acceptLocked(now int64, e *journal.Entry, got *Received, i int, steps []Step) []Step {
	o := j.offerLocked(now, &e)
	own, _ := j.mu.set.Own()
	if o == journal.OwnAhead || o == journal.Conflict && e.Incarnation == own {
		steps = append(steps, j.retireLocked(now, got)...)
		if o == journal.OwnAhead {
			o = j.offerLocked(now, &e)
		}
	}
	got.Outcomes[i] = o
	switch {
	case o.New():
		got.New++
	case o.Refused():
		got.Refused++
		if o == journal.RefusedAncient {
			j.mu.ancient++
		}
	}
	switch {
	case o == journal.Conflict:
		// Its ID is taken, so it cannot be kept; its effect is carried out.
		j.mu.position++
		c := Step{Position: j.mu.position, Entry: e.Clone(), Outcome: o, Arrived: now}
		c.Changed = j.putLocked(j.cfg.Items(&c.Entry))
		steps = append(steps, c)
	case o == journal.Covered:
		j.noteLocked(now, e)
	case o.Apply():
		steps = append(steps, j.stepLocked(now, e, o))
		if j.mu.set.Disputed(e) {
			steps = append(steps, j.retireLocked(now, got)...)
		}
	}
	return steps
}
