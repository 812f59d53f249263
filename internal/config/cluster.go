package config

import "time"

// Cluster says with which other nodes this one shares purges, and what it does
// when it cannot reach them. Without it the node is alone.
type Cluster struct {
	Bind       string        // address and port of membership, UDP and TCP; entries arrive one port above; required
	Advertise  string        // address and port where other members reach Bind, where that is not the address of Bind; empty: that, or a private one of this machine
	Join       []string      // host:port of other members' Bind; a name stands for all of its addresses; empty: this is the first node
	Secret     []string      // what all members share, at least 16 bytes, the one in use first; a change of all members takes a reload each: add the new one behind, put it first, remove the old one; required
	Role       ClusterRole   // a witness stores nothing and serves no site: it counts for the majority of a site with two nodes; default node
	Isolation  Isolation     // what happens when fewer than a majority of the members can be heard
	DurableOn  int           // 1 or 2: on how many disks a purge, a revert or a change of a token is before it is answered as complete; 1: the answering node's; 2: that of another member too, whatever the request and its API; needs node.data_dir, here and on the others; default 1
	WaitAtMost time.Duration // the longest that a purge waits for other members, by ?wait= or for durable_on; default 30s
}

// Enabled tells whether the node belongs to a cluster.
func (c *Cluster) Enabled() bool { return c.Bind != "" }

// ClusterRole is what a member is for.
type ClusterRole string

// Roles of members.
const (
	RoleNode    ClusterRole = "node"
	RoleWitness ClusterRole = "witness"
)

// Isolation says what a node does with what it has stored while others may know
// of purges that it does not.
type Isolation struct {
	After   time.Duration   // since the last heartbeats of a majority; at least 1s, at most 24h; default 30s
	Policy  IsolationPolicy // serve: go on, and say so loudly; revalidate: ask the origin before each hit; refuse: answer 503; default serve
	AtStart IsolationPolicy // the same until the node has heard from every member that it can reach, and from a majority; default revalidate
}

// IsolationPolicy is what an isolated node does.
type IsolationPolicy string

// Policies of an isolated node.
const (
	IsolationServe      IsolationPolicy = "serve"
	IsolationRevalidate IsolationPolicy = "revalidate"
	IsolationRefuse     IsolationPolicy = "refuse"
)
