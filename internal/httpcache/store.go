package httpcache

import (
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// Exchange is one request to the origin and the head of its final response.
type Exchange struct {
	Method string
	// Request are the fields as the origin received them: what a client named
	// in Connection was not sent and must not select a variant.
	Request, Response field.Fields
	Status            int
	// RequestTime and ResponseTime are when the request left and when the
	// response's head arrived, in Unix nanoseconds.
	RequestTime, ResponseTime int64
	CloseDelimited            bool // the body ends with the connection
	// AmbiguousLength is set where the head gives the length of the body in
	// more than one way, as Content-Length with Transfer-Encoding does.
	AmbiguousLength bool
}

// Storing is what may be done with a response.
type Storing struct {
	Reason Reason // ReasonStored, or why it is not
	Store  bool
	// Fields are what to deliver and, where Store is set, to keep: end-to-end
	// fields only; where stored, without those that may not be shared, without
	// Age, and with a Date. They include what HidesField names.
	Fields field.Fields
	// Times bound the use of a stored response, before any purge. They are zero
	// where it is not stored.
	Times field.Times
	// Born is the instant from which age counts, in Unix nanoseconds: the age
	// at any time is that time less Born (RFC 9111 section 4.2.3). 0 where the
	// response is not stored: its own Age then stands in Fields.
	Born int64
	// Variant is the variant key, for VariantMatches. It is "" for Vary: *.
	Variant string
	// MustRevalidate is set where the response forbids to be used stale: if it
	// cannot be revalidated, the answer is 504 (RFC 9111 section 5.2.2.2).
	MustRevalidate bool
	// Immutable is set where its freshness is a promise (RFC 8246).
	Immutable bool
	// HasValidator is set where a conditional request can be made of it.
	HasValidator bool
	// Explicit is set where the response gave its freshness itself.
	Explicit bool
	// HitForMiss is, where Store is not set, for how long this may be
	// remembered, so that requests for the resource do not wait for each other
	// in vain. 0: not at all, because the reason lies in this one exchange.
	HitForMiss time.Duration
}

// Store decides whether a response may be stored by a shared cache, and how
// (RFC 9111 section 3). After a 304, it is asked about the stored response's
// status with the merged fields.
func Store(x Exchange, p *Policy) Storing {
	c := governing(x.Response)
	variant, selects := variantOf(x.Response, x.Request)
	s := Storing{Variant: variant}
	reason := refusal(&x, &c, p)
	if reason == ReasonNone && !selects {
		reason = ReasonVaryStar
	}
	if reason == ReasonNone {
		s.Fields = sharedFields(&x, &c, p)
		reason = s.keep(&x, &c, p)
	}
	if reason != ReasonStored {
		return notStored(&x, s.Variant, reason, p)
	}
	s.Store, s.Reason = true, ReasonStored
	return s
}

// refusal returns why a response must not be stored whatever its freshness, or
// ReasonNone.
func refusal(x *Exchange, c *control, p *Policy) Reason {
	switch {
	case x.Method != "GET":
		return ReasonMethod
	case !storableStatus(x.Status):
		return ReasonStatus
	case x.AmbiguousLength:
		return ReasonFraming
	case x.CloseDelimited && !p.StoreCloseDelimited:
		return ReasonCloseDelimited
	case c.mustUnderstand && !understood(x.Status):
		return ReasonNotUnderstood
	case c.noStore && !c.mustUnderstand:
		return ReasonNoStore
	case c.private:
		return ReasonPrivate
	case x.Request.Has("Authorization") && !c.shareable():
		return ReasonAuthorization
	case p.obeys() && ParseRequest(x.Request).NoStore:
		return ReasonRequestNoStore
	}
	return ReasonNone
}

// sharedFields returns the fields that a stored response keeps (RFC 9111
// section 3.1).
func sharedFields(x *Exchange, c *control, p *Policy) field.Fields {
	all := EndToEnd(x.Response, make(field.Fields, 0, len(x.Response)+1))
	kept := all[:0]
	for _, f := range all {
		switch {
		case c.withholds(f.Name), field.EqualFold(f.Name, "Age"):
		case p.SetCookie == SetCookieStrip && setsCookie(f.Name):
		default:
			kept = append(kept, f)
		}
	}
	value, _ := kept.Get("Date")
	if _, ok := parseDate(value, x.ResponseTime/int64(time.Second)); !ok {
		kept = kept.Set("Date", formatDate(x.ResponseTime)) // RFC 9110 section 6.6.1
	}
	return kept
}

// Unshared returns the lines of a response that a stored one does not keep
// because they are for the client that it was made for, as private="…" and
// no-cache="…" say (RFC 9111 sections 5.2.2.4 and 5.2.2.7).
func Unshared(s Storing, resp field.Fields, p *Policy) (own field.Fields) {
	if !s.Store {
		return nil
	}
	c := governing(resp)
	if !slices.ContainsFunc(resp, func(f field.Field) bool { return c.withholds(f.Name) }) {
		return nil // as nearly always
	}
	for _, f := range EndToEnd(resp, nil) {
		if c.withholds(f.Name) && !(p.SetCookie == SetCookieStrip && setsCookie(f.Name)) {
			own = append(own, f)
		}
	}
	return own
}

func setsCookie(name string) bool {
	return field.EqualFold(name, "Set-Cookie") || field.EqualFold(name, "Set-Cookie2")
}

// keep computes the response's times, and returns why it is of no use, or
// ReasonStored.
func (s *Storing) keep(x *Exchange, c *control, p *Policy) Reason {
	if p.SetCookie == SetCookieRefuse && (s.Fields.Has("Set-Cookie") || s.Fields.Has("Set-Cookie2")) {
		return ReasonSetCookie
	}
	f := freshnessOf(x, c, p)
	if !f.known {
		return ReasonNoFreshness
	}
	s.Explicit, s.Immutable = f.explicit, c.immutable
	s.HasValidator = HasValidator(s.Fields)
	s.MustRevalidate = c.neverStale() || c.sMaxAge.given
	s.Born = born(x)
	s.Times = timesOf(s.Born, f.lifetime, c, p)
	if s.HasValidator {
		s.Times.Keep = later(s.Times.Keep, p.DefaultKeep)
	}
	if s.Times.Keep > x.ResponseTime {
		return ReasonStored
	}
	switch {
	case c.noCache:
		return ReasonNoCache
	case !f.explicit && f.lifetime == 0:
		return ReasonNoFreshness
	}
	return ReasonExpired
}

// timesOf gives the policy's stale windows only to what was fresh at first: a
// response that nothing calls reusable must not become it by them.
func timesOf(born int64, fresh time.Duration, c *control, p *Policy) field.Times {
	swr, sie := p.DefaultSWR, p.DefaultSIE
	if fresh == 0 {
		swr, sie = 0, 0
	}
	t := field.Times{Fresh: later(born, fresh)}
	t.SWR = later(t.Fresh, staleWindow(c, c.staleRevalidate, swr))
	t.SIE = later(t.Fresh, staleWindow(c, c.staleFail, sie))
	t.Keep = max(t.SWR, t.SIE)
	return t
}

func notStored(x *Exchange, variant string, reason Reason, p *Policy) Storing {
	s := Storing{
		Reason: reason, Variant: variant,
		Fields: EndToEnd(x.Response, make(field.Fields, 0, len(x.Response))),
	}
	// A failing origin is when requests must wait for each other, and its
	// errors say nothing of what the resource is like otherwise.
	if reason.lasts() && x.Status < 500 {
		s.HitForMiss = p.hitForMiss()
	}
	return s
}

// lasts tells whether the next response is likely to be refused for the same
// reason, rather than for what this one request was.
func (r Reason) lasts() bool {
	switch r {
	case ReasonMethod, ReasonStatus, ReasonRequestNoStore, ReasonAuthorization, ReasonStored:
		return false
	}
	return true
}
