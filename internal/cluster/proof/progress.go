package proof

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Confirmation is what is known of one member and one entry.
type Confirmation struct {
	Member  Member
	Applied bool
	// Took is how long after its issue the member had applied the entry and made
	// it durable; less than 0: not known any more.
	Took time.Duration
	// InForce is how long after its issue the entry was in force there, at most Took;
	// less than 0: not known.
	InForce time.Duration
}

// Progress is what is known of one entry.
type Progress struct {
	// Remembered is false for an entry from before this node's start, or one so
	// old that only who has applied it is known.
	Remembered bool
	Members    []Confirmation // the roster at acceptance without this node; else today's
	Count      int            // of the others that have applied it
	Slowest    time.Duration  // of those; 0: none
	SlowestOf  string         // name
}

// Progress returns what is known of an own entry. today is the present roster.
func (l *Ledger) Progress(id journal.ID, today *Roster) Progress {
	var p Progress
	roster := today
	rec := l.find(id)
	if rec != nil {
		roster = rec.roster
		p.Remembered, p.Slowest = true, rec.slowest
		if rec.slowIdx >= 0 {
			p.SlowestOf = roster.Members[rec.slowIdx].Name
		}
	}
	for i, m := range roster.Members {
		if m.ID == roster.Self {
			continue
		}
		c := Confirmation{Member: m, Applied: l.Has(id, m.ID), Took: -1, InForce: -1}
		if rec != nil && rec.took != nil && rec.took[i] > 0 {
			c.Took = time.Duration(rec.took[i]-1) * unit
			if rec.sooner[i] != notKnown {
				c.InForce = max(0, c.Took-time.Duration(rec.sooner[i])*unit)
			}
		}
		if c.Applied {
			p.Count++
		}
		p.Members = append(p.Members, c)
	}
	return p
}

// fenceMargin is added to a member's own time before it counts as fenced: a
// twentieth for clocks that run at different rates, and a second, which also
// covers that the times of acknowledgements take half a round trip for the way
// back.
const fenceMargin = time.Second

// Fenced tells whether a member that has not acknowledged an entry provably
// serves nothing that it has stored: its policy is to refuse while it is
// isolated, and it must be isolated by now.
//
// It must be, since heartbeats count only once everything that their sender knew
// has been applied. A majority has known the entry for longer than the member's
// time. Any majority of heartbeats that it could go by has one of theirs, and
// those younger than its time were sent knowing the entry: it has applied it,
// or they do not count. The majority is to be one of the roster of then and one
// of today's: which of them the member goes by is not known. A guest goes by a
// roster that nobody knows.
func (l *Ledger) Fenced(now time.Duration, id journal.ID, m Member, today *Roster) bool {
	rec := l.find(id)
	if rec == nil || m.Guest || m.Policy != wire.PolicyRefuse {
		return false
	}
	before := now - m.After - m.After/20 - fenceMargin
	return rec.majority(before, rec.roster) && rec.majority(before, today)
}

// majority tells whether more than half of those enlisted in a roster had the
// entry before an instant. Whose times are not known does not count.
func (r *record) majority(before time.Duration, roster *Roster) bool {
	n := 0
	for i := range roster.Members {
		m := &roster.Members[i]
		if !m.Guest && r.had(before, m.ID) {
			n++
		}
	}
	return n >= roster.Majority()
}

func (r *record) had(before time.Duration, member wire.ID) bool {
	if member == r.roster.Self {
		return r.at < before
	}
	i, ok := r.roster.index[member]
	return ok && r.took != nil && r.took[i] > 0 && r.at+time.Duration(r.took[i])*unit < before
}
