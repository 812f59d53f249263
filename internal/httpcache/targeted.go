package httpcache

import (
	"strconv"
	"strings"

	"github.com/dunglas/httpsfv"

	"github.com/rescind-edge/rescind/internal/field"
)

// cdnControl reads CDN-Cache-Control, a structured dictionary (RFC 9213
// section 2.1). Where it is empty or does not parse, it counts as absent.
func cdnControl(resp field.Fields) (c control, ok bool) {
	value, ok := resp.Joined("CDN-Cache-Control")
	if !ok {
		return control{}, false
	}
	dict, err := httpsfv.UnmarshalDictionary([]string{value})
	if err != nil || len(dict.Names()) == 0 {
		return control{}, false
	}
	for _, name := range dict.Names() {
		member, _ := dict.Get(name)
		c.apply(dictionaryDirective(name, member))
	}
	return c, true
}

// dictionaryDirective translates a member. Only an Integer is a number of
// seconds, and only a String or Token a list of field names; another type makes
// the directive malformed, and so as strict as it can be.
func dictionaryDirective(name string, member httpsfv.Member) directive {
	item, ok := member.(httpsfv.Item)
	if !ok {
		return directive{name: name, hasValue: true, malformed: true}
	}
	d := directive{name: name, hasValue: true}
	switch v := item.Value.(type) {
	case int64:
		d.value = strconv.FormatInt(v, 10)
	case bool:
		d.hasValue, d.malformed = false, !v
	case string:
		d.value, d.malformed = v, isSeconds(name)
	case httpsfv.Token:
		d.value, d.malformed = string(v), isSeconds(name)
	default:
		d.malformed = true
	}
	return d
}

func isSeconds(name string) bool {
	switch name {
	case "max-age", "s-maxage", "stale-while-revalidate", "stale-if-error":
		return true
	}
	return false
}

// surrogateControl reads Surrogate-Control, the older field of the Edge
// Architecture note. ok is false where none of its directives is about caching
// here: it may speak of content processing only, or to another surrogate.
func surrogateControl(resp field.Fields) (c control, ok bool) {
	list := directives{fields: resp, name: "Surrogate-Control"}
	for d, more := list.next(); more; d, more = list.next() {
		if strings.IndexByte(d.value, ';') >= 0 || strings.IndexByte(d.name, ';') >= 0 {
			continue // for the surrogate named behind the semicolon
		}
		if d.is("max-age") {
			d = c.takeExtension(d)
		}
		ok = c.apply(d) || ok
	}
	return c, ok
}

// takeExtension splits max-age=3600+600: fresh for the first number of seconds,
// usable stale for the second.
func (c *control) takeExtension(d directive) directive {
	fresh, stale, ok := strings.Cut(d.value, "+")
	if !ok {
		return d
	}
	extension := directive{value: stale, hasValue: true, malformed: d.malformed}
	c.staleRevalidate.add(extension)
	c.staleFail.add(extension)
	d.value = fresh
	return d
}
