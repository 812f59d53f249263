package httpcache

import (
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// RequestDirectives are what a request asks of caches (RFC 9111 section 5.2.1).
// Whether that counts is the Policy's to say. Invalid values are ignored; of
// several, the strictest counts.
type RequestDirectives struct {
	NoCache      bool
	NoStore      bool
	OnlyIfCached bool
	MaxAge       Seconds
	MinFresh     Seconds
	MaxStale     Seconds // without a value: any staleness, as the longest time
	StaleIfError Seconds // RFC 5861 section 4
}

// ParseRequest reads a request's Cache-Control, and its Pragma where there is
// no Cache-Control (RFC 9111 section 5.4). It does not allocate.
func ParseRequest(req field.Fields) RequestDirectives {
	var r RequestDirectives
	if len(req) == 0 {
		return r
	}
	if !req.Has("Cache-Control") {
		r.NoCache = pragmaNoCache(req)
		return r
	}
	list := directives{fields: req, name: "Cache-Control"}
	for d, ok := list.next(); ok; d, ok = list.next() {
		r.apply(d)
	}
	return r
}

func pragmaNoCache(req field.Fields) bool {
	list := directives{fields: req, name: "Pragma"}
	for d, ok := list.next(); ok; d, ok = list.next() {
		if d.is("no-cache") {
			return true
		}
	}
	return false
}

func (r *RequestDirectives) apply(d directive) {
	switch {
	case d.is("no-cache"):
		r.NoCache = true
	case d.is("no-store"):
		r.NoStore = true
	case d.is("only-if-cached"):
		r.OnlyIfCached = true
	case d.is("max-age"):
		r.MaxAge.least(d)
	case d.is("min-fresh"):
		r.MinFresh.most(d)
	case d.is("max-stale"):
		if !d.hasValue && !r.MaxStale.Given {
			r.MaxStale = Seconds{Given: true, Value: maxSeconds * time.Second}
		}
		r.MaxStale.least(d)
	case d.is("stale-if-error"):
		r.StaleIfError.least(d)
	}
}

func (s *Seconds) least(d directive) {
	if v, ok := d.duration(); ok && (!s.Given || v < s.Value) {
		*s = Seconds{Given: true, Value: v}
	}
}

func (s *Seconds) most(d directive) {
	if v, ok := d.duration(); ok && (!s.Given || v > s.Value) {
		*s = Seconds{Given: true, Value: v}
	}
}

func (d *directive) duration() (time.Duration, bool) {
	n, ok := parseSeconds(d.value)
	return time.Duration(n) * time.Second, ok && !d.malformed
}

// OnlyIfCachedAsked tells whether a request for which nothing usable is stored
// must be answered 504 instead of being forwarded (RFC 9111 section 5.2.1.7).
func OnlyIfCachedAsked(r RequestDirectives, p *Policy) bool {
	return p.obeys() && r.OnlyIfCached
}
