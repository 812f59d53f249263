package httpcache

import (
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// Stored is what the rules of reuse need to know of a stored response.
type Stored struct {
	Status         int
	Born           int64       // Unix nanoseconds from which age counts
	Times          field.Times // after purges bounded them
	MustRevalidate bool
	Immutable      bool
	HasValidator   bool
	// Untouched tells that no purge has bounded Times. Only then may a client's
	// max-stale or stale-if-error reach past the windows in them: a soft purge
	// is not to be undone by a request field.
	Untouched bool
}

// Verdict is what a stored response is good for.
type Verdict uint8

const (
	// Refetch: it does not answer the request and is no base for a conditional
	// one.
	Refetch Verdict = iota
	// Fresh: it answers the request.
	Fresh
	// StaleWhileRevalidate: it answers the request although it is stale, and is
	// to be revalidated behind the client's back (RFC 5861 section 3).
	StaleWhileRevalidate
	// Revalidate: it answers the request only after the origin confirmed it.
	Revalidate
	// OnlyIfCached: it does not answer the request, which wants nothing from
	// the origin: 504 (RFC 9111 section 5.2.1.7).
	OnlyIfCached
)

// String returns the verdict as a token.
func (v Verdict) String() string {
	switch v {
	case Refetch:
		return "refetch"
	case Fresh:
		return "fresh"
	case StaleWhileRevalidate:
		return "stale-while-revalidate"
	case Revalidate:
		return "revalidate"
	case OnlyIfCached:
		return "only-if-cached"
	}
	return "unknown"
}

// Reuse is a decision about a stored response.
type Reuse struct {
	Verdict Verdict
	Reason  Reason
	Age     time.Duration // never negative
	TTL     time.Duration // what is left of freshness; negative once stale
}

// Decide says what a stored response is good for at now, in Unix nanoseconds
// (RFC 9111 section 4). It never answers Fresh at or past Times.Fresh.
func Decide(s Stored, r RequestDirectives, p *Policy, now int64) Reuse {
	u := Reuse{Age: max(since(s.Born, now), 0), TTL: since(now, s.Times.Fresh)}
	if !p.obeys() {
		r = RequestDirectives{}
	}
	objection := r.objection(&s, &u)
	switch {
	case objection != ReasonNone:
		u.Reason = objection
	case now < s.Times.Fresh:
		u.Verdict, u.Reason = Fresh, ReasonFresh
		return u
	case now < s.Times.SWR:
		u.Verdict, u.Reason = StaleWhileRevalidate, ReasonStale
		return u
	case r.acceptsStale(&s, &u, now):
		u.Verdict, u.Reason = StaleWhileRevalidate, ReasonRequestMaxStale
		return u
	default:
		u.Reason = ReasonStale
	}
	switch {
	case r.OnlyIfCached:
		u.Verdict, u.Reason = OnlyIfCached, ReasonOnlyIfCached
	case s.HasValidator && now < s.Times.Keep:
		u.Verdict = Revalidate
	}
	return u
}

// objection returns why the request does not accept the response as it is.
func (r *RequestDirectives) objection(s *Stored, u *Reuse) Reason {
	fresh := u.TTL > 0
	switch {
	case r.NoCache:
		return ReasonRequestNoCache
	case r.MaxAge.Given && !fresh && !r.MaxStale.Given,
		r.MaxAge.Given && u.Age >= r.MaxAge.Value && !(fresh && s.Immutable):
		return ReasonRequestMaxAge
	case r.MinFresh.Given && u.TTL < r.MinFresh.Value:
		return ReasonRequestMinFresh
	}
	return ReasonNone
}

// acceptsStale tells whether max-stale lets a response be used past its stale
// window. What the origin forbids, or a purge withdrew, no client can allow.
func (r *RequestDirectives) acceptsStale(s *Stored, u *Reuse, now int64) bool {
	if !r.MaxStale.Given || s.MustRevalidate || -u.TTL > r.MaxStale.Value {
		return false
	}
	return now < s.Times.SIE || s.Untouched && now < s.Times.Keep
}

// StaleIfError tells whether a stored response may be served at now, in Unix
// nanoseconds, because the origin could not be reached, took too long or
// answered 5xx (RFC 5861 section 4).
func StaleIfError(s Stored, r RequestDirectives, p *Policy, now int64) bool {
	if !p.obeys() {
		return now < s.Times.SIE
	}
	asked := r.StaleIfError
	if r.NoCache && !asked.Given {
		return false
	}
	if now < s.Times.SIE {
		return true
	}
	return asked.Given && s.Untouched && !s.MustRevalidate &&
		now < s.Times.Keep && since(s.Times.Fresh, now) <= asked.Value
}
