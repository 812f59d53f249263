package durable

import "github.com/rescind-edge/rescind/internal/journal"

// retireLocked begins a new incarnation and issues anew what the old one had.
// Where no incarnation can be drawn, or positions are short, the old one goes on
// and the next occasion tries again.
func (j *Journal) retireLocked(now int64, got *Received) []Step {
	_, issued := j.mu.set.Own()
	inc, err := journal.NewIncarnation(j.cfg.Random)
	if err != nil || j.roomLocked(int(issued)+1) != nil {
		return nil
	}
	var steps []Step
	for _, d := range j.mu.set.Retire(inc) {
		s, err := j.issueLocked(now, d)
		if err != nil {
			break
		}
		steps = append(steps, s)
		got.Reissued = append(got.Reissued, s.Entry)
	}
	return steps
}

// Meet looks at a peer's vector for this node's own incarnation, and retires
// that if the peer knows entries of it that were not issued here: see
// journal.Set.Cloned. It returns what was issued anew.
func (j *Journal) Meet(peer journal.Vector) ([]journal.Entry, Ticket, error) {
	return j.retireIf(func() bool { return j.mu.set.Cloned(peer) })
}

// Retire ends an incarnation that another node was seen to use, in a heartbeat
// for example, if it is this node's own. It returns what was issued anew.
func (j *Journal) Retire(inc journal.Incarnation) ([]journal.Entry, Ticket, error) {
	return j.retireIf(func() bool {
		own, _ := j.mu.set.Own()
		return own == inc
	})
}

func (j *Journal) retireIf(shared func() bool) ([]journal.Entry, Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.readyLocked(); err != nil || !shared() {
		return nil, Ticket{}, err
	}
	var got Received
	if steps := j.retireLocked(j.now(), &got); len(steps) > 0 {
		j.mu.apply(steps)
	}
	return got.Reissued, j.ticketLocked(), nil
}
