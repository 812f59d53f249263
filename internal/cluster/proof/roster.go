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
	// Disk says that what it has acknowledged is on a disk of its own: see Peer.
	Disk bool
	// Guest says that the member is alive and not enlisted yet: it is waited for,
	// and does not count for a majority.
	Guest bool
	// HoldsBack says of a guest that it serves nothing that it has stored before a
	// majority has it in the roster, and has told it all it knew after that.
	HoldsBack bool
}

// Roster is who was a member at some time, this node and guests included. It
// never changes; entries issued between two changes share one.
type Roster struct {
	Members  []Member
	Self     wire.ID
	index    map[wire.ID]int
	enlisted int // members that are no guests
}

// NewRoster returns a roster of some members, among whom is self.
func NewRoster(self wire.ID, members []Member) *Roster {
	r := &Roster{Members: members, Self: self, index: make(map[wire.ID]int, len(members))}
	for i := range members {
		r.index[members[i].ID] = i
		if !members[i].Guest {
			r.enlisted++
		}
	}
	return r
}

// Has tells whether a member is in the roster, as one that is enlisted or as a
// guest.
func (r *Roster) Has(id wire.ID) bool {
	_, ok := r.index[id]
	return ok
}

// Enlisted tells whether a member is in the roster and is no guest.
func (r *Roster) Enlisted(id wire.ID) bool {
	i, ok := r.index[id]
	return ok && !r.Members[i].Guest
}

// Majority returns how many members are more than half of those enlisted.
func (r *Roster) Majority() int { return r.enlisted/2 + 1 }

func (r *Roster) pop() string {
	if i, ok := r.index[r.Self]; ok {
		return r.Members[i].POP
	}
	return ""
}
