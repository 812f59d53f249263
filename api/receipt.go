package api

import "time"

// SelectorKind is the way in which a selector names objects.
type SelectorKind string

// The kinds of selector.
const (
	ByURL  SelectorKind = "url"
	ByKey  SelectorKind = "key"
	ByPath SelectorKind = "path"
	ByHost SelectorKind = "host"
	ByAll  SelectorKind = "all"

	ByHeader SelectorKind = "header"
	ByBan    SelectorKind = "ban"
)

// Selector is one thing that a purge named, in normal form.
type Selector struct {
	Kind  SelectorKind `json:"kind"`
	Value string       `json:"value"` // "*" for ByAll
}

// Receipt says what became of a purge. It is the answer to POST PathPurges and
// an entry of a List.
type Receipt struct {
	ID        string     `json:"id"` // 26 characters; ids sort by time
	Service   string     `json:"service"`
	Selectors []Selector `json:"selectors"`
	Mode      Mode       `json:"mode"`
	TTL       *Duration  `json:"ttl,omitempty"`
	Grace     *Duration  `json:"grace,omitempty"`
	Keep      *Duration  `json:"keep,omitempty"`
	Note      string     `json:"note,omitempty"`

	Actor   string    `json:"actor"`          // the token's name, or how an unnamed caller was let in
	Dialect string    `json:"dialect"`        // the API that it came through: "native", "fastly", …
	Node    string    `json:"node,omitempty"` // that accepted it
	Time    time.Time `json:"time"`           // when it was accepted

	// Position is the answering node's count of applied purges with this one.
	// Positions of different nodes do not compare.
	Position uint64 `json:"position,omitempty"`
	// AppliedIn is the time from acceptance until it was in force on the node that
	// accepted it; absent on other nodes, whose clocks do not measure it.
	AppliedIn Duration `json:"applied_in,omitzero"`
	// Count is the number of objects withdrawn on the answering node. It is
	// known only for a purge by URL: others find their objects as they are asked
	// for.
	Count *int `json:"count,omitempty"`

	Reverted *Revert `json:"reverted,omitempty"` // set once the purge has been reverted

	// Confirmations are in the answer to GET PathPurges/{id}, and to a POST that
	// waited, where the node belongs to a cluster.
	Confirmations *Confirmations `json:"confirmations,omitempty"`
}

// List is the answer to GET PathPurges.
type List struct {
	Purges []Receipt `json:"purges"` // newest first
}

// RevertOutcome is what a revert achieved.
type RevertOutcome string

// The outcomes of a revert that succeeded. One that came too late is a Problem
// with status 409.
const (
	RevertDone    RevertOutcome = "undone"         // the purge has no effect any more
	RevertPart    RevertOutcome = "undone_in_part" // some of its effects had merged with others' and stand
	RevertPending RevertOutcome = "pending"        // this node has not seen the purge; it will have no effect
	RevertAlready RevertOutcome = "already"        // it had been reverted before
)

// Revert is the answer to POST PathPurges/{id}/revert.
type Revert struct {
	ID      string        `json:"id"` // of the purge
	Outcome RevertOutcome `json:"outcome"`
	Actor   string        `json:"actor"`
	Time    time.Time     `json:"time"`
}
