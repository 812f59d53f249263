package proof

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// Member is one member of the roster, as far as proof needs it.
type Member struct {
	ID     wire.ID
	Name   string
	POP    string
	Policy wire.Policy   // what it does while it is isolated
	After  time.Duration // after how long without a majority it is
}

// Roster is who was a member at some time, this node included. It never
// changes; entries issued between two changes share one.
type Roster struct {
	Members []Member
	Self    wire.ID
	index   map[wire.ID]int
}

// NewRoster returns a roster of some members, among whom is self.
func NewRoster(self wire.ID, members []Member) *Roster {
	r := &Roster{Members: members, Self: self, index: make(map[wire.ID]int, len(members))}
	for i := range members {
		r.index[members[i].ID] = i
	}
	return r
}

// Has tells whether a member is in the roster.
func (r *Roster) Has(id wire.ID) bool {
	_, ok := r.index[id]
	return ok
}

// Majority returns how many members are more than half.
func (r *Roster) Majority() int { return len(r.Members)/2 + 1 }

func (r *Roster) pop() string {
	if i, ok := r.index[r.Self]; ok {
		return r.Members[i].POP
	}
	return ""
}
