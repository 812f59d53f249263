package httpcache

// Reason names why a response is stored or not, and why a stored one may be
// reused or not. The same value goes into Cache-Status, logs and metrics.
type Reason uint8

const (
	ReasonNone Reason = iota // nothing was decided

	// Reasons of Store.
	ReasonStored         // it may be stored
	ReasonMethod         // only answers to GET are stored
	ReasonStatus         // no final response, or one to this request's conditions or range
	ReasonNotUnderstood  // must-understand with a status code that is not understood
	ReasonFraming        // its length is ambiguous
	ReasonCloseDelimited // its end is told by the connection's end only
	ReasonRequestNoStore // the request forbids storing
	ReasonNoStore        // the response forbids storing
	ReasonPrivate        // it is for one user
	ReasonAuthorization  // the request was authorised and nothing permits sharing
	ReasonVaryStar       // it depends on more than request fields
	ReasonSetCookie      // it sets cookies
	ReasonNoFreshness    // no freshness given, and none to be assumed
	ReasonNoCache        // it must be validated each time and cannot be
	ReasonExpired        // it is stale on arrival and of no further use
	ReasonTooLarge       // its body is longer than the store takes; for callers, never given here

	// Reasons of Decide.
	ReasonFresh           // it is fresh
	ReasonStale           // it is stale
	ReasonRequestNoCache  // the request wants validation
	ReasonRequestMaxAge   // it is older than the request accepts
	ReasonRequestMinFresh // it is not fresh for as long as the request wants
	ReasonRequestMaxStale // it is stale and the request accepts that
	ReasonOnlyIfCached    // the request wants nothing from the origin
	ReasonIsolated        // there may be purges that the node does not know; for callers, never given here

	reasons // how many there are
)

// OfRequest tells whether a response is not stored for what its request was:
// the next request's may be.
func (r Reason) OfRequest() bool { return r == ReasonRequestNoStore || r == ReasonAuthorization }

var reasonNames = [reasons]string{
	ReasonNone:            "",
	ReasonStored:          "stored",
	ReasonMethod:          "method",
	ReasonStatus:          "status",
	ReasonNotUnderstood:   "not-understood",
	ReasonFraming:         "framing",
	ReasonCloseDelimited:  "close-delimited",
	ReasonRequestNoStore:  "request-no-store",
	ReasonNoStore:         "no-store",
	ReasonPrivate:         "private",
	ReasonAuthorization:   "authorization",
	ReasonVaryStar:        "vary-star",
	ReasonSetCookie:       "set-cookie",
	ReasonNoFreshness:     "no-freshness",
	ReasonNoCache:         "no-cache",
	ReasonExpired:         "expired",
	ReasonTooLarge:        "too-large",
	ReasonFresh:           "fresh",
	ReasonStale:           "stale",
	ReasonRequestNoCache:  "request-no-cache",
	ReasonRequestMaxAge:   "request-max-age",
	ReasonRequestMinFresh: "request-min-fresh",
	ReasonRequestMaxStale: "request-max-stale",
	ReasonOnlyIfCached:    "only-if-cached",
	ReasonIsolated:        "isolated",
}

// String returns the reason as a token, and "" for ReasonNone.
func (r Reason) String() string {
	if r >= reasons {
		return "unknown"
	}
	return reasonNames[r]
}
