package api

// Cluster is the answer to GET PathMembers: who belongs to the cluster, as one
// node sees it.
type Cluster struct {
	ClusterStatus
	Members []Member `json:"members"` // in order of name
}

// ClusterStatus says how a node stands to its cluster.
type ClusterStatus struct {
	Role   MemberRole   `json:"role"`
	State  ClusterState `json:"state"`
	Reason string       `json:"reason,omitempty"` // why it is refused, has met nobody, or is to have purges on more disks than there are; for people
	// Stored is what requests get of what the node has stored.
	Stored StoredUse `json:"stored"`

	// Isolated says that fewer than a majority of the members have been heard
	// for the time that cluster.isolation.after sets: others may know of purges
	// that this node does not.
	Isolated bool     `json:"isolated"`
	Since    Duration `json:"since"` // for how long Isolated has been as it is

	Heard    int `json:"heard"`    // members heard lately, this node included
	Majority int `json:"majority"` // as many need to be heard
	Roster   int `json:"roster"`   // members in all, absent ones included
}

// MemberRole is what a member is for.
type MemberRole string

// Roles of members.
const (
	RoleNode    MemberRole = "node"
	RoleWitness MemberRole = "witness" // it serves nothing, and counts for the majority
)

// ClusterState says whether a node knows what the cluster knows.
type ClusterState string

// States of a node in its cluster.
const (
	StateJoining ClusterState = "joining" // it has not heard from all that it can reach, and from a majority
	StateReady   ClusterState = "ready"
	StateRefused ClusterState = "refused" // another node has its name
	StateLeaving ClusterState = "leaving" // it has been told to leave; stop it
)

// StoredUse is what requests get of what a node has stored.
type StoredUse string

// Uses of what is stored.
const (
	StoredServed      StoredUse = "served"
	StoredRevalidated StoredUse = "revalidated" // once the origin has confirmed it
	StoredRefused     StoredUse = "refused"     // every request is answered with 503
)

// MemberState is how one member is seen by another.
type MemberState string

// States of a member.
const (
	MemberSelf   MemberState = "self"   // the node that answers
	MemberAlive  MemberState = "alive"  // it answers that node
	MemberAbsent MemberState = "absent" // it belongs to the cluster and does not answer
	MemberNew    MemberState = "new"    // it answers, and is not on the roster yet
)

// Member is one node of the cluster, as the answering one sees it.
type Member struct {
	Name    string      `json:"name"`
	POP     string      `json:"pop"`
	State   MemberState `json:"state"`
	Address string      `json:"address,omitempty"` // of membership
	Version string      `json:"version,omitempty"` // of the program; absent: not known
	Roles   []string    `json:"roles,omitempty"`
	// Isolation is what it does with what it has stored while it is isolated:
	// "serve", "revalidate" or "refuse".
	Isolation string `json:"isolation,omitempty"`
	// Disk tells whether what it confirms is on a disk of its own, so that it counts
	// for WaitPeer and cluster.durable_on; absent: the answering node does not say.
	Disk  *bool     `json:"disk,omitempty"`
	RTT   *Duration `json:"rtt,omitempty"`   // round trip; absent: not known
	Heard *Duration `json:"heard,omitempty"` // ago; absent: not since the answering node started
	// Behind is how many purges and other changes that the answering node has
	// accepted since its start the member has not confirmed.
	Behind uint64 `json:"behind"`
}

// ClusterKeys is the answer to GET PathKeys: which secrets each member uses, by
// names that tell nothing about them.
type ClusterKeys struct {
	Members []MemberKeys `json:"members"` // in order of name
	Step    KeyStep      `json:"step"`
	Next    string       `json:"next"` // what to do, for people
}

// MemberKeys are the secrets of one member.
type MemberKeys struct {
	Member string   `json:"member"`
	POP    string   `json:"pop"`
	Keys   []string `json:"keys,omitempty"`  // the one in use first
	Error  string   `json:"error,omitempty"` // why they are not known
}

// KeyStep is how far a change of the cluster's secret has come.
type KeyStep string

// Steps of a change.
const (
	KeysOne     KeyStep = "one"     // all members have the same single secret
	KeysUneven  KeyStep = "uneven"  // all hear each other, and some have a secret that others do not
	KeysBoth    KeyStep = "both"    // all members have the same secrets, and use the same
	KeysTurning KeyStep = "turning" // all members have the same secrets, and do not use the same
	KeysUnknown KeyStep = "unknown" // some member did not say
	KeysApart   KeyStep = "apart"   // some member uses a secret that another does not have: they cannot hear each other
)
