package durable

import "github.com/rescind-edge/rescind/internal/journal/state"

// PutItems joins items to the replicated state and returns those that changed
// it. They are not journalled: other nodes get them with the whole state, so what
// must be quick is an entry instead. The error wraps state.ErrBadItem or is
// ErrClosed; nothing changed then.
func (j *Journal) PutItems(items ...state.Item) ([]state.Item, Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.closed {
		return nil, Ticket{}, ErrClosed
	}
	for i := range items {
		if err := items[i].Validate(); err != nil {
			return nil, Ticket{}, err
		}
	}
	changed := j.putLocked(items)
	return changed, j.ticketLocked(), nil
}

// MergeState joins a peer's whole state to this node's and returns the items
// that changed, of which Apply is told too. whole says that the peer's is
// complete, so that this node's is from now on. The error is ErrClosed or state.ErrFull; nothing changed then.
func (j *Journal) MergeState(peer *state.Map, whole bool) ([]state.Item, Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.closed {
		return nil, Ticket{}, ErrClosed
	}
	before := j.mu.state.Horizon()
	changed, err := j.mu.state.Merge(peer)
	if err != nil {
		return nil, Ticket{}, err
	}
	for i := range changed {
		j.mu.next.item(&changed[i])
	}
	if whole && !j.mu.complete || j.mu.state.Horizon() != before {
		j.mu.complete = j.mu.complete || whole
		j.mu.next.state(j.mu.state.Horizon(), j.mu.complete)
	}
	if len(changed) > 0 && j.mu.apply != nil {
		j.mu.apply([]Step{{Position: j.mu.position, Changed: changed, Arrived: j.now()}})
	}
	return changed, j.ticketLocked(), nil
}

// Found says that this node's state is complete, for the first node of a
// cluster or a node without one.
func (j *Journal) Found() (Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.closed {
		return Ticket{}, ErrClosed
	}
	if !j.mu.complete {
		j.mu.complete = true
		j.mu.next.state(j.mu.state.Horizon(), true)
	}
	return j.ticketLocked(), nil
}
