package httpcache

import (
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// Heuristic freshness is a tenth of the time since the last change (RFC 9111
// section 4.2.2), and at most a day: a guess should not outlive the people who
// would notice that it is wrong.
const (
	heuristicShare = 10
	heuristicMax   = 24 * time.Hour
)

// freshness is how long a response is fresh, and how that is known.
type freshness struct {
	lifetime time.Duration
	explicit bool // the response says so
	known    bool // by the response, the policy or a permitted heuristic
}

// freshnessOf returns a response's freshness lifetime for a shared cache
// (RFC 9111 section 4.2.1).
func freshnessOf(x *Exchange, c *control, p *Policy) freshness {
	f := given(x, c)
	if !f.explicit {
		f = assumed(x, c, p)
	}
	if p.MaxTTL > 0 {
		f.lifetime = min(f.lifetime, p.MaxTTL)
	}
	if c.noCache {
		f.lifetime = 0
	}
	return f
}

func given(x *Exchange, c *control) freshness {
	switch {
	case c.sMaxAge.given:
		return freshness{lifetime: c.sMaxAge.duration(), explicit: true, known: true}
	case c.maxAge.given:
		return freshness{lifetime: c.maxAge.duration(), explicit: true, known: true}
	case c.expires && x.Response.Has("Expires"):
		return freshness{lifetime: untilExpires(x), explicit: true, known: true}
	}
	return freshness{}
}

// untilExpires counts from Date, so that a clock that runs apart does not
// matter. An invalid Expires, or several that differ, mean expired (RFC 9111
// section 5.3).
func untilExpires(x *Exchange) time.Duration {
	received := x.ResponseTime / int64(time.Second)
	value, _ := x.Response.Get("Expires")
	expires, ok := parseDate(value, received)
	if !ok || differs(x.Response, "Expires", value) {
		return 0
	}
	return time.Duration(min(max(expires-dateOf(x.Response, received), 0), maxSeconds)) * time.Second
}

func differs(f field.Fields, name, value string) bool {
	for i := range f {
		if field.EqualFold(f[i].Name, name) && f[i].Value != value {
			return true
		}
	}
	return false
}

// dateOf returns the Date of a response in Unix seconds, and otherwise the
// time that it was received.
func dateOf(resp field.Fields, received int64) int64 {
	value, _ := resp.Get("Date")
	if date, ok := parseDate(value, received); ok {
		return date
	}
	return received
}

// assumed returns the freshness of a response that gives none.
func assumed(x *Exchange, c *control, p *Policy) freshness {
	if ttl, ok := p.NegativeTTL[x.Status]; ok {
		return freshness{lifetime: max(ttl, 0), known: true}
	}
	if x.Status >= 500 || !heuristic(x.Status) && !c.public {
		return freshness{}
	}
	if p.DefaultTTL > 0 {
		return freshness{lifetime: p.DefaultTTL, known: true}
	}
	received := x.ResponseTime / int64(time.Second)
	value, _ := x.Response.Get("Last-Modified")
	changed, ok := parseDate(value, received)
	if !ok {
		return freshness{known: true}
	}
	unchanged := min(max(dateOf(x.Response, received)-changed, 0), maxSeconds)
	return freshness{lifetime: min(time.Duration(unchanged)*time.Second/heuristicShare, heuristicMax), known: true}
}

// staleWindow returns for how long after its freshness a response may be used
// stale in one of the two ways of RFC 5861. What the response says goes before
// the policy. s-maxage forbids staleness (RFC 9111 section 5.2.2.10) unless the
// response opts in beside it; must-revalidate and its like always do.
func staleWindow(c *control, said lifetime, byPolicy time.Duration) time.Duration {
	switch {
	case c.neverStale():
		return 0
	case said.given:
		return said.duration()
	case c.sMaxAge.given:
		return 0
	}
	return max(byPolicy, 0)
}
