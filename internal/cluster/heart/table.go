package heart

import (
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// Table is the newest heartbeat known of each member of the roster. It is for
// one goroutine at a time.
type Table struct {
	self wire.ID
	born map[wire.ID]time.Duration // not later than when the heartbeat was made
	in   map[wire.ID]bool          // the roster
	// guests are the heartbeats of who is not in the roster, which may be known to
	// others before it is here. At most wire.MaxBeats.
	guests map[wire.ID]time.Duration
}

// NewTable returns a table without heartbeats, of a roster of one.
func NewTable(self wire.ID) *Table {
	return &Table{
		self: self, born: make(map[wire.ID]time.Duration), in: map[wire.ID]bool{self: true},
		guests: make(map[wire.ID]time.Duration),
	}
}

// SetRoster says who the members are, this node included. Heartbeats of who has
// gone are forgotten; those of who is new count if they came before: otherwise
// each growth of the roster would isolate a node until it has heard the new ones
// again.
func (t *Table) SetRoster(members []wire.ID) {
	clear(t.in)
	t.in[t.self] = true
	for _, id := range members {
		t.in[id] = true
	}
	for id := range t.born {
		if !t.in[id] {
			delete(t.born, id)
		}
	}
	for id, born := range t.guests {
		if t.in[id] {
			delete(t.guests, id)
			t.beat(id, born)
		}
	}
}

// Count takes the heartbeats of an answer: that of who gave it, and those it
// passed on. asked is when the question was sent. Everything that the answer
// said its sender knew must have been applied.
func (t *Table) Count(asked time.Duration, from wire.ID, passed []wire.Beat) {
	t.beat(from, asked)
	for _, b := range passed {
		t.beat(b.Member, asked-b.Age)
	}
}

func (t *Table) beat(id wire.ID, born time.Duration) {
	to := t.born
	switch {
	case id == t.self:
		return
	case !t.in[id]:
		to = t.guests
		if _, known := to[id]; !known && len(to) >= wire.MaxBeats {
			clear(to) // they come again
		}
	}
	if old, known := to[id]; !known || born > old {
		to[id] = born
	}
}

// Beats returns the heartbeats to pass on, the youngest first.
func (t *Table) Beats(now time.Duration) []wire.Beat {
	out := make([]wire.Beat, 0, len(t.born))
	for id, born := range t.born {
		if age := max(0, now-born); age <= wire.MaxAge {
			out = append(out, wire.Beat{Member: id, Age: age})
		}
	}
	slices.SortFunc(out, func(a, b wire.Beat) int {
		if a.Age != b.Age {
			return int(min(max(a.Age-b.Age, -1), 1))
		}
		if a.Member < b.Member {
			return -1
		}
		return 1
	})
	return out[:min(len(out), wire.MaxBeats)]
}

// Age returns how old a member's newest heartbeat is, and whether there is one.
func (t *Table) Age(now time.Duration, id wire.ID) (time.Duration, bool) {
	born, ok := t.born[id]
	return max(0, now-born), ok
}

// Majority returns how many members are more than half of the roster.
func (t *Table) Majority() int { return len(t.in)/2 + 1 }

// Fresh returns how many members, this node included, have a heartbeat younger
// than after.
func (t *Table) Fresh(now, after time.Duration) int {
	n := 1
	for _, born := range t.born {
		if now-born < after {
			n++
		}
	}
	return n
}

// Until returns the instant at which the node is isolated unless further
// heartbeats come: with after passed since the youngest heartbeat without which
// there is no majority. forever is true for a roster that needs nobody else.
func (t *Table) Until(after time.Duration) (until time.Duration, forever bool) {
	need := t.Majority() - 1
	if need == 0 {
		return 0, true
	}
	if len(t.born) < need {
		return 0, false
	}
	born := make([]time.Duration, 0, len(t.born))
	for _, b := range t.born {
		born = append(born, b)
	}
	slices.Sort(born)
	return born[len(born)-need] + after, false
}
