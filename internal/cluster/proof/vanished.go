package proof

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Compared records that a member, asked at an instant, has told this node all that
// it knew of the roster, and that this node has taken it over.
func (l *Ledger) Compared(asked time.Duration, member wire.ID) {
	if _, known := l.compared[member]; !known && len(l.compared) >= wire.MaxBeats {
		clear(l.compared) // members come and go; what is lost comes again
	}
	l.compared[member] = max(asked, l.compared[member])
}

// neverReady tells whether a guest of an entry's time, which has vanished, has
// provably never served anything stored without having applied the entry.
//
// It serves nothing stored before a majority has it in the roster and has told it
// all they knew after that. Let V be members that had applied the entry when they
// were asked for the roster, and did not know the guest: if it became ready,
// somebody of V came to know it after that, and told it of the entry. For that V
// must meet each majority that the guest could go by: one of the roster with any of
// the guests in it, whether they are enlisted by now or not. Half of all does, since a
// majority is more than half.
//
// The accepted risk: newcomers that nobody here has ever seen as alive, more of them
// than half of the roster, who are cut off together with the guest.
func (l *Ledger) neverReady(id journal.ID, m Member, today *Roster, vanished int) bool {
	rec := l.find(id)
	if rec == nil || !m.Guest || !m.HoldsBack || today.Has(m.ID) {
		return false
	}
	return 2*l.vouching(rec, rec.roster) >= len(rec.roster.Members) &&
		2*l.vouching(rec, today) >= len(today.Members)+vanished
}

// vouching returns how many of those enlisted in a roster had an entry before they
// were last asked for the roster. This node knows its own.
func (l *Ledger) vouching(rec *record, roster *Roster) (n int) {
	for i := range roster.Members {
		m := &roster.Members[i]
		asked, known := l.compared[m.ID]
		if m.ID == roster.Self || !m.Guest && known && rec.had(asked, m.ID) {
			n++
		}
	}
	return n
}

// vanished returns how many guests a waiter misses of whom nothing is heard any more.
func (w *Waiter) vanished(today *Roster) (n int) {
	for id, m := range w.missing {
		if m.Guest && !today.Has(id) {
			n++
		}
	}
	return n
}

// Unsure returns members that are to be asked for the roster, so that those need not
// be waited for that have vanished before they were in it.
func (l *Ledger) Unsure(today *Roster) (ask []wire.ID) {
	seen := make(map[wire.ID]bool)
	for w := range l.waiters {
		rec := l.find(w.id)
		if rec == nil || w.level == Peer || w.vanished(today) == 0 {
			continue
		}
		for i := range today.Members {
			m := &today.Members[i]
			asked, known := l.compared[m.ID]
			if m.ID == today.Self || m.Guest || seen[m.ID] || known && rec.had(asked, m.ID) || !l.Has(w.id, m.ID) {
				continue
			}
			seen[m.ID] = true
			ask = append(ask, m.ID)
		}
	}
	return ask
}
