package cluster

import (
	"slices"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

const (
	// lateSeconds is for how long an entry is not acknowledged, at least, when its
	// issuer begins to ask: the first rounds of sending it again are over.
	lateSeconds = 2
	// maxLateRest is the most seconds between two questions to one member. It
	// doubles up to there, so that one whose disk is slow is not asked by everybody
	// all the time.
	maxLateRest = 16
	// maxLatePulls is how many of the exchanges at a time are with members that are
	// late: they may be cut off and not found dead yet, and heartbeats come by
	// exchanges too.
	maxLatePulls = maxPulls / 2
)

// lateness finds the members whose acknowledgements are missing. One that was lost
// would come with the next comparison with that very member, and that is drawn by
// chance: among many members it takes minutes. A member that fetched an entry from
// somebody else may not even know whom to tell. So the issuer asks. What it issued
// before it was restarted counts too: nobody sends that again, so for a receipt of
// then a single lost packet would make it tens of seconds.
type lateness struct {
	inc    journal.Incarnation
	issued [lateSeconds]uint64        // of inc, by the seconds before, newest first
	rests  map[seal.Session]*lateRest // by start of the member: who comes back is asked at once
}

// lateRest is when a late member is asked again.
type lateRest struct{ left, next int } // seconds

// expectedHead is up to which entry of an incarnation members are to have
// acknowledged by now.
type expectedHead struct {
	inc  journal.Incarnation
	head uint64
}

// due returns what is to be acknowledged of the present incarnation, once a
// second.
func (l *lateness) due(inc journal.Incarnation, issued uint64) expectedHead {
	due := l.issued[lateSeconds-1]
	if inc != l.inc {
		l.inc, l.issued, due = inc, [lateSeconds]uint64{}, 0
	}
	copy(l.issued[1:], l.issued[:])
	l.issued[0] = issued
	return expectedHead{inc, due}
}

// look is called once a second; it returns the members to be asked now.
func (l *lateness) look(heads []expectedHead, alive []*peer, row func(journal.Incarnation, wire.ID) journal.Row) []wire.ID {
	rests := make(map[seal.Session]*lateRest)
	var ask []wire.ID
	for _, p := range alive {
		if !slices.ContainsFunc(heads, func(e expectedHead) bool { return row(e.inc, p.id).Head < e.head }) {
			continue
		}
		r := l.rests[p.meta.Session]
		if r == nil {
			r = &lateRest{next: 1}
		}
		rests[p.meta.Session] = r
		if r.left--; r.left < 0 {
			ask = append(ask, p.id)
			r.left = r.next - 1
			r.next = min(2*r.next, maxLateRest)
		}
	}
	l.rests = rests // of whoever is not late, or has gone, nothing is kept
	return ask
}

// askLate has members asked that are late to acknowledge own entries.
func (c *Cluster) askLate(l *lateness) {
	own, issued := c.cfg.Journal.Own()
	heads := []expectedHead{l.due(own, issued)}
	c.proof.Lock()
	for inc := range c.proof.own {
		if inc != own {
			heads = append(heads, expectedHead{inc: inc})
		}
	}
	c.proof.Unlock()
	for i := range heads[1:] {
		heads[1+i].head = c.cfg.Journal.DurableRow(heads[1+i].inc).Head
	}
	c.proof.Lock()
	ask := l.look(heads, c.view.Load().peers, c.proof.Row)
	c.proof.Unlock()
	c.rounds.askLate(ask)
}
