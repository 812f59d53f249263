package proof

import (
	"errors"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Level says for whom to wait.
type Level uint8

const (
	None Level = iota // for nobody
	Peer              // for one other member that has a disk
	POP               // for all members of this node's POP
	All               // for the whole roster, guests included
)

// maxWaiters bounds how many wait at a time: twice as many requests as a front
// door should have open.
const maxWaiters = 4096

// ErrTooManyWait is returned by Wait when maxWaiters wait already.
var ErrTooManyWait = errors.New("too many requests wait for members to confirm")

// Waiter waits for members to acknowledge one entry.
type Waiter struct {
	id      journal.ID
	level   Level
	at      *Roster // at acceptance
	missing map[wire.ID]Member
	done    chan struct{}
}

// Done is closed when nobody is waited for any more, or there is nobody for whom to
// wait would be of use.
func (w *Waiter) Done() <-chan struct{} { return w.done }

// Wait returns a waiter for an own entry, which must be given to End. today is
// the present roster. The error is ErrTooManyWait.
func (l *Ledger) Wait(now time.Duration, id journal.ID, level Level, today *Roster) (*Waiter, error) {
	w := &Waiter{id: id, level: level, at: today, missing: make(map[wire.ID]Member), done: make(chan struct{})}
	if rec := l.find(id); rec != nil {
		w.at = rec.roster
	}
	hopeless := false
	if level == Peer {
		hopeless = !l.missPeers(w)
	} else if level != None {
		l.missAll(w)
	}
	l.excuse(now, w, today)
	if len(w.missing) == 0 || hopeless {
		close(w.done)
		return w, nil
	}
	if len(l.waiters) >= maxWaiters {
		return nil, ErrTooManyWait
	}
	l.waiters[w] = struct{}{}
	return w, nil
}

// missAll has a waiter miss who has not acknowledged its entry, of all or of the
// POP.
func (l *Ledger) missAll(w *Waiter) {
	for _, m := range w.at.Members {
		if m.ID != w.at.Self && (w.level == All || m.POP == w.at.pop()) && !l.Has(w.id, m.ID) {
			w.missing[m.ID] = m
		}
	}
}

// missPeers has a waiter miss all those any of whom would do, unless one has the
// entry. It returns false where none would: there are other members, and what they
// acknowledge is on no disk. Those are what is missing then.
func (l *Ledger) missPeers(w *Waiter) (hope bool) {
	disks := make(map[wire.ID]Member)
	for _, m := range w.at.Members {
		switch {
		case m.ID == w.at.Self:
		case !m.Disk:
			w.missing[m.ID] = m
		case l.Has(w.id, m.ID):
			clear(w.missing)
			return true
		default:
			disks[m.ID] = m
		}
	}
	if len(disks) == 0 {
		return len(w.missing) == 0
	}
	w.missing = disks
	return true
}

// End ends waiting and returns the names still missing, in order. For Peer they
// are those any of whom would do.
func (l *Ledger) End(w *Waiter) []string {
	delete(l.waiters, w)
	var names []string
	for _, m := range w.missing {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return names
}

// Review releases the waiters of members that have left the roster, are provably
// fenced, or were provably never ready. It is due about once a second, and when the roster changes.
func (l *Ledger) Review(now time.Duration, today *Roster) {
	for w := range l.waiters {
		l.excuse(now, w, today)
		l.release(w)
	}
}

func (l *Ledger) excuse(now time.Duration, w *Waiter, today *Roster) {
	if w.level == Peer {
		return // who has left or is fenced holds nothing
	}
	vanished := w.vanished(today)
	for id, m := range w.missing {
		switch {
		case today.Enlisted(id):
			m.Guest = false
			w.missing[id] = m
		case !m.Guest:
			delete(w.missing, id) // it was enlisted, and is not any more
			continue
		}
		// No record says of a guest that has gone that it has left: it may be somewhere
		// and serve.
		if l.Fenced(now, w.id, m, today) || l.neverReady(w.id, m, today, vanished) {
			delete(w.missing, id)
		}
	}
}

// tell takes a confirmation to those who wait for it.
func (l *Ledger) tell(from wire.ID, inc journal.Incarnation, span journal.Span) {
	for w := range l.waiters {
		if w.id.Incarnation != inc || w.id.Seq < span.First || w.id.Seq > span.Last {
			continue
		}
		if _, waited := w.missing[from]; !waited {
			continue
		}
		if delete(w.missing, from); w.level == Peer {
			clear(w.missing)
		}
		l.release(w)
	}
}

func (l *Ledger) release(w *Waiter) {
	if _, waits := l.waiters[w]; waits && len(w.missing) == 0 {
		delete(l.waiters, w)
		close(w.done)
	}
}
