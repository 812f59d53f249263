package event

import (
	"net/netip"
	"time"
)

// Selector is one thing that a purge named.
type Selector struct {
	Kind  string // "url", "key", "path", "host" or "all"
	Value string // cut to MaxSelectorBytes
}

// Bounds of the selectors in one record: enough to see what somebody did, and
// small enough for a line of a log. The receipt holds them all.
const (
	MaxSelectors     = 8
	MaxSelectorBytes = 256
)

// Purged is a purge that this node has applied. A purge that was turned down is
// a Denied.
type Purged struct {
	Time    time.Time // when it was accepted
	ID      string
	Service string

	Selectors []Selector // at most MaxSelectors of them
	Omitted   int        // how many more there were

	Mode    string     // "hard" or "soft"
	Actor   string     // the token's name, or how an unnamed caller was let in
	Addr    netip.Addr // the caller's address; invalid for a Unix socket and for the node itself
	Dialect string     // the API that it came through
	Note    string     // the caller's own words

	Took       time.Duration // from acceptance until it was applied
	Count      int           // objects withdrawn on this node
	CountKnown bool          // false: Count says nothing

	// Node is the one that accepted it, where that is another; then Took, Count and
	// Addr are not known.
	Node string
}

// Reverted is a purge that was taken back.
type Reverted struct {
	Time    time.Time
	ID      string // of the purge
	Service string
	Outcome string // what the revert achieved
	Actor   string
	Addr    netip.Addr

	Elsewhere bool // another node accepted it; Addr is not known
}

// Denied is a purge, a revert or a look at receipts that was turned down.
type Denied struct {
	Time    time.Time
	Action  DeniedAction
	Reason  DeniedReason
	Detail  string // what the caller was told; never holds a secret
	Cause   string // the system's words for what failed on the node itself, such as "no space left on device"; else empty
	Service string // as the caller named it; may be empty
	Actor   string // the token's name; empty where the caller is nobody
	Addr    netip.Addr
	Dialect string

	// Suppressed counts the records before this one that were left out because
	// they came too fast: anybody can cause them.
	Suppressed int
}

// DeniedAction is what was attempted. The set is fixed.
type DeniedAction string

// What can be denied.
const (
	DeniedPurge  DeniedAction = "purge"
	DeniedRevert DeniedAction = "revert"
	DeniedRead   DeniedAction = "read"
)

// DeniedReason says why something was denied. The set is fixed and no value
// depends on what a caller sent, so a reason can label a metric.
type DeniedReason string

// Why something is denied.
const (
	DeniedUnauthenticated DeniedReason = "unauthenticated"
	DeniedForbidden       DeniedReason = "forbidden"
	DeniedUnknownService  DeniedReason = "unknown service"
	DeniedUnknownPurge    DeniedReason = "unknown purge"
	DeniedTooMany         DeniedReason = "too many selectors"
	DeniedLimited         DeniedReason = "limited"
	DeniedInvalid         DeniedReason = "invalid"
	DeniedTooLate         DeniedReason = "too late"
)
