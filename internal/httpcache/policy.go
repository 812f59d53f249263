package httpcache

import "time"

// SetCookie says what becomes of a response that sets cookies: stored as it is,
// it would give one user's cookies to all.
type SetCookie uint8

const (
	SetCookieRefuse SetCookie = iota // it is not stored
	SetCookieStrip                   // it is stored and delivered without the cookies
	SetCookieStore                   // it is stored with them
)

// Directives says what a client's Cache-Control means: obeyed, it lets any
// client reach past the cache to the origin.
type Directives uint8

const (
	DirectivesIgnore Directives = iota // it has no effect
	DirectivesObey                     // RFC 9111 section 5.2.1 applies
)

// DefaultHitForMiss is how long an answer is remembered as not storable where
// the policy does not say: long enough that a busy page is not fetched one
// request after the other, short enough that a mistake at the origin heals.
const DefaultHitForMiss = 120 * time.Second

// Policy is what a service decides where the standards leave room. The zero
// value is usable: it stores only what responses ask for and what heuristics
// permit, and serves nothing stale unless a response allows it.
type Policy struct {
	// DefaultTTL is the freshness of a response that gives none, where
	// heuristics are permitted. 0: by heuristic only.
	DefaultTTL time.Duration
	// NegativeTTL is the freshness of a response that gives none, by status
	// code; it goes before DefaultTTL and is the only way to store a status
	// code without explicit freshness that heuristics do not permit, such as
	// 302 or 503. nil: none.
	NegativeTTL map[int]time.Duration
	// MaxTTL is the longest freshness, given or not. 0: no limit.
	MaxTTL time.Duration
	// DefaultSWR and DefaultSIE are how long after freshness a response may be
	// served stale, while it is revalidated and when the origin fails, where it
	// does not say so itself and nothing in it forbids staleness. They are not
	// for responses without any freshness. 0: not at all.
	DefaultSWR, DefaultSIE time.Duration
	// DefaultKeep is how long after all else a response with a validator is kept
	// for conditional requests. 0: not at all, so that a response that is stale
	// on arrival is not stored.
	DefaultKeep time.Duration
	// SetCookie is the treatment of responses that set cookies.
	SetCookie SetCookie
	// RequestDirectives is the meaning of a client's Cache-Control.
	RequestDirectives Directives
	// StoreCloseDelimited also stores bodies that end with the connection. One
	// that was cut looks the same as a whole one. false: they are not stored.
	StoreCloseDelimited bool
	// HitForMiss is how long an answer is remembered as not storable.
	// 0: DefaultHitForMiss.
	HitForMiss time.Duration
	// TagHeaders are the response fields that carry surrogate keys.
	// nil: Surrogate-Key.
	TagHeaders []TagHeader
	// CacheGroups makes Cache-Groups and Cache-Group-Invalidation count
	// (RFC 9875). Where several parties share an origin, each can invalidate what
	// the others send.
	CacheGroups bool
}

func (p *Policy) obeys() bool { return p.RequestDirectives == DirectivesObey }

func (p *Policy) hitForMiss() time.Duration {
	if p.HitForMiss == 0 {
		return DefaultHitForMiss
	}
	return max(p.HitForMiss, 0)
}
