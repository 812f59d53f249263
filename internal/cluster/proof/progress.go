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
		c := Confirmation{Member: m, Applied: l.Has(id, m.ID), Took: -1}
		if rec != nil && rec.took != nil && rec.took[i] > 0 {
			c.Took = time.Duration(rec.took[i]-1) * unit
		}
		if c.Applied {
			p.Count++
		}
		p.Members = append(p.Members, c)
	}
	return p
}

// fenceMargin is added to a member's own time before it counts as fenced: a
// twentieth for clocks that run at different rates, and a second.
const fenceMargin = time.Second

// Fenced tells whether a member that has not acknowledged an entry provably
// serves nothing that it has stored: its policy is to refuse while it is
// isolated, and it must be isolated by now.
//
// It must be, since heartbeats count only once everything that their sender knew
// has been applied. A majority has known the entry for longer than the member's
// time. Any majority of heartbeats that it could go by has one of theirs, and
// those younger than its time were sent knowing the entry: it has applied it,
// or they do not count.
func (l *Ledger) Fenced(now time.Duration, id journal.ID, m Member, today *Roster) bool {
	rec := l.find(id)
	if rec == nil || rec.majority == 0 || m.Policy != wire.PolicyRefuse {
		return false
	}
	if now-rec.majority <= m.After+m.After/20+fenceMargin {
		return false
	}
	return l.count(id, today)+1 >= today.Majority()
}

// count returns how many other members of a roster have applied an entry.
func (l *Ledger) count(id journal.ID, roster *Roster) int {
	n := 0
	for i := range roster.Members {
		if m := &roster.Members[i]; m.ID != roster.Self && l.Has(id, m.ID) {
			n++
		}
	}
	return n
}
