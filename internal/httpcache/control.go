package httpcache

import (
	"github.com/rescind-edge/rescind/internal/field"
)

// control is what the origin says about caching a response.
type control struct {
	noStore, noCache, private, public           bool
	mustRevalidate, proxyRevalidate             bool
	mustUnderstand, immutable                   bool
	maxAge, sMaxAge, staleRevalidate, staleFail lifetime
	// withheld are the field lists of no-cache="…" and private="…": the
	// response may be shared without these fields.
	withheld []string
	// expires tells whether Expires counts beside it: not beside a targeted
	// field, which replaces it.
	expires bool
}

// governing returns the control that a response is under: the most specific
// field that is valid replaces the others altogether (RFC 9213 section 2.2).
func governing(resp field.Fields) control {
	if c, ok := cdnControl(resp); ok {
		return c
	}
	plain := cacheControl(resp)
	c, ok := surrogateControl(resp)
	if !ok {
		return plain
	}
	// Surrogate-Control has no standard that would let it lift "private", and
	// the caches that made it common do not let it either.
	c.private = c.private || plain.private
	c.withheld = append(c.withheld, plain.withheld...)
	return c
}

func cacheControl(resp field.Fields) control {
	c := control{expires: true}
	list := directives{fields: resp, name: "Cache-Control"}
	for d, ok := list.next(); ok; d, ok = list.next() {
		c.apply(d)
	}
	return c
}

// apply adds a directive, and returns whether it is known.
func (c *control) apply(d directive) bool {
	switch {
	case d.is("max-age"):
		c.maxAge.add(d)
	case d.is("s-maxage"):
		c.sMaxAge.add(d)
	case d.is("stale-while-revalidate"):
		c.staleRevalidate.add(d)
	case d.is("stale-if-error"):
		c.staleFail.add(d)
	case d.is("no-store"):
		c.noStore = true
	case d.is("no-cache"):
		c.noCache = !c.withhold(d) || c.noCache
	case d.is("private"):
		c.private = !c.withhold(d) || c.private
	default:
		return c.applyFlag(d)
	}
	return true
}

func (c *control) applyFlag(d directive) bool {
	switch {
	case d.is("public"):
		c.public = true
	case d.is("must-revalidate"):
		c.mustRevalidate = true
	case d.is("proxy-revalidate"):
		c.proxyRevalidate = true
	case d.is("must-understand"):
		c.mustUnderstand = true
	case d.is("immutable"):
		c.immutable = true
	default:
		return false
	}
	return true
}

// withhold takes the field names of a qualified no-cache or private (RFC 9111
// sections 5.2.2.4 and 5.2.2.7). It returns false where there are none, or
// where one is no field name: the directive then is about the whole response.
func (c *control) withhold(d directive) bool {
	if d.malformed || !fieldNames(d.value) {
		return false
	}
	c.withheld = append(c.withheld, d.value)
	return true
}

func fieldNames(list string) bool {
	some := false
	for list != "" {
		var name string
		name, list = cutMember(list)
		if name = field.Trim(name); name == "" {
			continue
		}
		if !field.ValidName(name) {
			return false
		}
		some = true
	}
	return some
}

// withholds tells whether a field is not to be shared.
func (c *control) withholds(name string) bool {
	for _, list := range c.withheld {
		if field.Lists(list, name) {
			return true
		}
	}
	return false
}

// neverStale tells whether the response forbids to be served stale whatever
// else it says (RFC 9111 section 4.2.4).
func (c *control) neverStale() bool {
	return c.noCache || c.mustRevalidate || c.proxyRevalidate
}

// shareable tells whether an answer to an authorised request may be given to
// others (RFC 9111 section 3.5).
func (c *control) shareable() bool {
	return c.public || c.mustRevalidate || c.sMaxAge.given
}
