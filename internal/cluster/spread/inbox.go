package spread

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/journal"
)

const (
	// maxSessions is how many senders' batches are remembered: see package seal.
	// Of those beyond, batches may be applied twice, which changes nothing.
	maxSessions = 4096
	// batchWindow is how many batches of a sender are remembered, in whatever
	// order they come.
	batchWindow = 4096
)

// inbox remembers which batches have come, so that copies cost nothing.
type inbox struct {
	sessions map[seal.Session]*received
}

type received struct {
	top  uint64
	bits [batchWindow / 64]uint64
	inc  journal.Incarnation // of the newest batch
	last time.Duration
}

func (r *received) bit(n uint64) (word *uint64, mask uint64) {
	return &r.bits[n%batchWindow/64], 1 << (n % 64)
}

// First tells whether a batch has not come before, and remembers that it has.
func (c *Core) First(now time.Duration, session seal.Session, number uint64) bool {
	r := c.inbox.sessions[session]
	if r == nil {
		r = &received{}
		c.inbox.makeRoom()
		c.inbox.sessions[session] = r
	}
	r.last = now
	switch {
	case number > r.top:
		if number-r.top >= batchWindow {
			r.bits = [batchWindow / 64]uint64{}
		} else {
			for n := r.top + 1; n < number; n++ {
				word, mask := r.bit(n)
				*word &^= mask
			}
		}
		r.top = number
	case r.top-number >= batchWindow:
		return false // long gone; the second phase has it
	default:
		if word, mask := r.bit(number); *word&mask != 0 {
			return false
		}
	}
	word, mask := r.bit(number)
	*word |= mask
	return true
}

// Unreceived takes back that a batch has come: there was no room for it.
func (c *Core) Unreceived(session seal.Session, number uint64) {
	if r := c.inbox.sessions[session]; r != nil && number <= r.top && r.top-number < batchWindow {
		word, mask := r.bit(number)
		*word &^= mask
	}
}

// Issues remembers the incarnation with which a session issues.
func (c *Core) Issues(session seal.Session, inc journal.Incarnation) {
	if r := c.inbox.sessions[session]; r != nil {
		r.inc = inc
	}
}

// Issuer returns the incarnation with which a session issues, if known.
func (c *Core) Issuer(session seal.Session) (journal.Incarnation, bool) {
	if r := c.inbox.sessions[session]; r != nil {
		return r.inc, !r.inc.IsZero()
	}
	return journal.Incarnation{}, false
}

// makeRoom forgets the session not heard for longest if there are too many.
func (i *inbox) makeRoom() {
	if len(i.sessions) < maxSessions {
		return
	}
	var oldest seal.Session
	var at time.Duration = -1
	for s, r := range i.sessions {
		if at < 0 || r.last < at {
			oldest, at = s, r.last
		}
	}
	delete(i.sessions, oldest)
}
