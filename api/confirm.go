package api

// WaitLevel says whose confirmation a purge waits for.
type WaitLevel string

// Levels. Each takes less for granted than the one before.
const (
	WaitNone WaitLevel = "none" // the answering node alone
	WaitPeer WaitLevel = "peer" // one other member has it on disk; one without node.data_dir does not count
	WaitPOP  WaitLevel = "pop"  // all members of the node's POP
	WaitAll  WaitLevel = "all"  // all members
)

// Confirmations say who has applied a purge. A member that has, has it on disk
// too: what is said here is not undone by a crash.
type Confirmations struct {
	// Members are those of the time when the purge was accepted, the node that
	// accepted it first.
	Members []Confirmation `json:"members"`
	Applied int            `json:"applied"` // how many of them have applied it
	// Confirmed are the levels that are reached. A member that has left since, or
	// that provably serves nothing that it has stored, is not waited for.
	Confirmed []WaitLevel `json:"confirmed"`
	Missing   []string    `json:"missing,omitempty"` // members that are still waited for
	Slowest   string      `json:"slowest,omitempty"` // of those that have applied it and whose time is known; by AppliedIn, where known
	// Partial says that what was known is lost in part, as after a restart of
	// the node that accepted the purge: times are missing, and the members are
	// those of now.
	Partial bool `json:"partial,omitempty"`
}

// Confirmation is what is known of one member and one purge.
type Confirmation struct {
	Member  string `json:"member"`
	POP     string `json:"pop"`
	Applied bool   `json:"applied"`
	// Disk tells whether the member has a disk; absent: not known. What one without
	// has applied is gone with its process, whatever Took says.
	Disk *bool `json:"disk,omitempty"`
	// AppliedIn is the time from acceptance until the purge was in force on the
	// member; absent: not known, or not known any more. It is at most Took.
	AppliedIn *Duration `json:"applied_in,omitempty"`
	// Took is the time from acceptance until the member had applied it and had
	// it on its disk, if it has one, so that no crash undoes it; absent: not yet, or not known any more.
	// It counts the wait for a sync that serves many purges.
	Took *Duration `json:"took,omitempty"`
}

// Reached tells whether a level is reached.
func (c *Confirmations) Reached(level WaitLevel) bool {
	if level == WaitNone || level == "" {
		return true
	}
	for _, l := range c.Confirmed {
		if l == level {
			return true
		}
	}
	return false
}
