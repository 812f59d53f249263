package api

import "time"

// Status is the answer to GET PathStatus: what one node is and does.
type Status struct {
	Node    string    `json:"node"`
	POP     string    `json:"pop"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Uptime  Duration  `json:"uptime"`

	Services []ServiceStatus `json:"services"`
	Store    StoreStatus     `json:"store"`
	Purges   PurgeStatus     `json:"purges"`
	Traffic  TrafficStatus   `json:"traffic"`

	Cluster *ClusterStatus `json:"cluster,omitempty"` // absent: the node is alone
}

// ServiceStatus is the state of one service on the node.
type ServiceStatus struct {
	ID         string         `json:"id"`
	Domains    []string       `json:"domains"`
	Generation uint64         `json:"generation"`        // purges of everything that were asked for, since the node's start
	Position   uint64         `json:"position"`          // of the service's newest purge on this node
	Objects    *int64         `json:"objects,omitempty"` // stored responses, where they are counted by service
	Origins    []OriginStatus `json:"origins"`
	Shield     *ShieldStatus  `json:"shield,omitempty"` // absent: the service has none
}

// ShieldStatus is how a service's requests go through its shield. Counters run from
// the node's start.
type ShieldStatus struct {
	POP     string         `json:"pop"`
	Here    bool           `json:"here"`              // this node is a shield of the service, and what follows is empty
	Direct  string         `json:"direct,omitempty"`  // why the last request went to the origin past the shield; absent: it did not
	Through uint64         `json:"through"`           // requests that shields answered
	Behind  uint64         `json:"behind"`            // of these, by the origin, because a shield did not know in time what this node knew
	Past    uint64         `json:"past"`              // requests that went to the origin past the shield
	Members []ShieldMember `json:"members,omitempty"` // shields that are alive
}

// ShieldMember is a shield as this node sees it.
type ShieldMember struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Resting bool   `json:"resting"` // it failed a moment ago, and is left alone for a while
}

// OriginStatus is the state of one origin as this node sees it.
type OriginStatus struct {
	URL     string `json:"url"`
	Healthy bool   `json:"healthy"`
	Reason  string `json:"reason,omitempty"` // why it is not healthy, for people
}

// StoreStatus is the state of the node's storage. Counters run from the node's
// start.
type StoreStatus struct {
	Objects int64  `json:"objects"`
	Bytes   int64  `json:"bytes"`
	Budget  int64  `json:"budget"`  // bytes
	Stored  uint64 `json:"stored"`  // objects put
	Evicted uint64 `json:"evicted"` // removed for space
	Swept   uint64 `json:"swept"`   // removed because purged
	Expired uint64 `json:"expired"` // removed past the end of their life
	Refused uint64 `json:"refused"` // not stored for lack of space
}

// PurgeStatus is the state of the node's purge engine.
type PurgeStatus struct {
	Applied   uint64 `json:"applied"` // purges so far; the node's position
	Reverted  uint64 `json:"reverted"`
	NotSaved  string `json:"not_saved,omitempty"` // why the journal cannot be written to its disk; absent: it can
	Marks     int64  `json:"marks"`               // that lookups still compare with
	MarkBytes int64  `json:"mark_bytes"`
	Folded    uint64 `json:"folded"` // marks merged for space: each purges too much, never too little
}

// TrafficStatus counts client requests by outcome since the node's start.
type TrafficStatus struct {
	Requests       uint64 `json:"requests"`
	Hits           uint64 `json:"hits"`   // answered fresh from the cache
	Stale          uint64 `json:"stale"`  // answered stale from the cache
	Misses         uint64 `json:"misses"` // fetched because not stored, not fresh or purged
	Passes         uint64 `json:"passes"` // not cacheable by method or rule
	Errors         uint64 `json:"errors"` // answered by the node itself with an error
	OriginRequests uint64 `json:"origin_requests"`
}
