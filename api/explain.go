package api

import "time"

// Explanation is the answer to GET PathExplain: what this node would do with a
// request for a URL now, and why. It asks no origin and changes nothing.
type Explanation struct {
	URL  string    `json:"url"`  // as asked
	Node string    `json:"node"` // another node may differ
	Time time.Time `json:"time"` // of the explanation; states below are as of then

	Service string `json:"service,omitempty"` // that has the URL's host; absent: none does
	// Normal is the URL that requests for it are looked up under, after the
	// service's rule for queries.
	Normal    string `json:"normal,omitempty"`
	QueryRule string `json:"query_rule,omitempty"` // "all", "sorted", "ignore", "include a b", "exclude a b"
	Position  uint64 `json:"position,omitempty"`   // of the service's newest purge on this node

	Outcome ExplainOutcome `json:"outcome"`
	Reason  string         `json:"reason,omitempty"` // why that outcome, as in Cache-Status
	// Cached says that the request would be answered from the store.
	Cached   bool      `json:"cached"`
	Variants []Variant `json:"variants"` // all that is stored of the URL, newest first

	// LastPurge is the newest purge known here that names the URL or what is
	// stored of it, whether or not it still has an effect.
	LastPurge *PurgeHit `json:"last_purge,omitempty"`
	LastMiss  *LastMiss `json:"last_miss,omitempty"`

	Hints []Hint `json:"hints,omitempty"` // the most telling first
}

// ExplainOutcome is what a request would get.
type ExplainOutcome string

// What a request would get.
const (
	WouldHit        ExplainOutcome = "hit"        // answered from the store, fresh
	WouldStale      ExplainOutcome = "stale"      // answered from the store, stale, and refreshed behind the client's back
	WouldRevalidate ExplainOutcome = "revalidate" // the origin is asked whether what is stored is still good
	WouldMiss       ExplainOutcome = "miss"       // fetched from the origin
	WouldPass       ExplainOutcome = "pass"       // fetched each time: known not to be storable
	WouldRefuse     ExplainOutcome = "refuse"     // answered with an error by the node itself: no service has the host
)

// Variant is one stored response.
type Variant struct {
	URL     string `json:"url"`               // as it was first asked for
	Matches bool   `json:"matches"`           // it is the one that answers the request imagined
	Vary    string `json:"vary,omitempty"`    // the response's Vary
	Variant string `json:"variant,omitempty"` // the request fields that it is for, for people

	Status int          `json:"status"` // of the response
	State  VariantState `json:"state"`
	Reason string       `json:"reason,omitempty"` // of VariantUncacheable: why it is not stored
	Keys   []string     `json:"keys,omitempty"`   // surrogate keys, spelt as they are compared
	ETag   string       `json:"etag,omitempty"`
	// KeysIgnored is how many surrogate keys the response had beyond the limits of
	// their header, or not in printable ASCII: purges by them do not find it.
	KeysIgnored int      `json:"keys_ignored,omitempty"`
	Modified    string   `json:"modified,omitempty"` // its Last-Modified
	Size        int64    `json:"size"`               // bytes of the body
	Hits        uint64   `json:"hits"`               // times that it was used
	Age         Duration `json:"age"`                // as in the field Age

	// Stamp is the position at which its fetch began: only purges after it
	// concern it.
	Stamp uint64 `json:"stamp"`

	// Until when it is of which use, purges considered; absent: never was, or a
	// purge ended it.
	FreshUntil        *time.Time `json:"fresh_until,omitempty"`
	StaleUntil        *time.Time `json:"stale_until,omitempty"`          // served while it is revalidated
	StaleOnErrorUntil *time.Time `json:"stale_on_error_until,omitempty"` // served if the origin fails
	KeptUntil         *time.Time `json:"kept_until,omitempty"`           // good for conditional requests

	Purge *PurgeHit `json:"purge,omitempty"` // the newest purge that withdrew it or bounds its times
}

// VariantState is what has become of a stored response.
type VariantState string

// States of a stored response.
const (
	VariantFresh        VariantState = "fresh"
	VariantStale        VariantState = "stale"          // may be served while it is revalidated
	VariantStaleOnError VariantState = "stale_if_error" // may be served only if the origin fails
	VariantKept         VariantState = "kept"           // supplies validators, and is not served
	VariantExpired      VariantState = "expired"        // of no use any more
	VariantWithdrawn    VariantState = "withdrawn"      // by a purge that can no longer be undone
	VariantRevertible   VariantState = "revertible"     // withdrawn, and back if the purge is reverted
	VariantUncacheable  VariantState = "uncacheable"    // a note that the response was not storable
)

// PurgeHit says which purge concerned something.
type PurgeHit struct {
	ID       string    `json:"id"`
	Selector *Selector `json:"selector,omitempty"` // of its selectors, one that names it
	Mode     Mode      `json:"mode,omitempty"`
	Actor    string    `json:"actor,omitempty"` // absent, like what follows, where its receipt is gone
	Dialect  string    `json:"dialect,omitempty"`
	Time     time.Time `json:"time,omitzero"`
	Note     string    `json:"note,omitempty"`
	Reverted bool      `json:"reverted,omitempty"`
}

// LastMiss says why the last request for the URL that was not answered from the
// store was not.
type LastMiss struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`          // as in Cache-Status: "uri-miss", "purged", "vary-miss", …
	Purge  string    `json:"purge,omitempty"` // the id, where it was a purge
}

// HintCode names a kind of hint; programs compare it. Clients must expect codes
// that they do not know.
type HintCode string

// What can stand between a purge and what somebody sees.
const (
	HintNoService     HintCode = "no_service"     // no service has the host, so no purge of it can do anything
	HintHostOf        HintCode = "host_of"        // the host belongs to another service than the purges seen
	HintNormalURL     HintCode = "normal_url"     // the URL is looked up under another spelling
	HintQueryRule     HintCode = "query_rule"     // the query, or part of it, is left out of the look-up
	HintKeyCase       HintCode = "key_case"       // a key that was purged differs only in case from one that is carried
	HintURLCase       HintCode = "url_case"       // a URL that was purged differs only in case or a final slash
	HintNoKeys        HintCode = "no_keys"        // what is stored carries no surrogate keys
	HintKeysIgnored   HintCode = "keys_ignored"   // some surrogate keys were over a limit
	HintSoftPurge     HintCode = "soft_purge"     // a soft purge: it may be served stale until …
	HintAnotherScheme HintCode = "another_scheme" // it is stored under the other scheme
	HintVariant       HintCode = "variant"        // other variants are stored than the one that was asked for
	HintUncacheable   HintCode = "uncacheable"    // the origin's response is not storable
	HintRequestField  HintCode = "request_field"  // a field of the request changes what is done
	HintReverted      HintCode = "reverted"       // the purge that named it has been reverted
	HintRefetched     HintCode = "refetched"      // it was fetched again after the newest purge: what is stored is what the origin sent
	HintStaleServed   HintCode = "stale_served"   // its life is over and it may still be served stale until …
	HintOrigin        HintCode = "origin"         // no address of the origin is healthy
	HintCluster       HintCode = "cluster"        // others may know of purges that this node does not, which changes what is done
	HintShield        HintCode = "shield"         // what is not stored comes through a shield, or cannot at the moment
	HintDownstream    HintCode = "downstream"     // the response lets browsers and caches in front keep it, out of any purge's reach
)

// Hint is something worth knowing about a URL's state.
type Hint struct {
	Code HintCode `json:"code"`
	Text string   `json:"text"`           // for people
	Next string   `json:"next,omitempty"` // what to do about it
}
