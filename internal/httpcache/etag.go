package httpcache

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// entityTag is a parsed ETag (RFC 9110 section 8.8.3).
type entityTag struct {
	opaque string // with its quotes, where it has any
	weak   bool
}

// parseTag takes the first entity tag off a list. Some origins send tags
// without quotes and get them back from clients; those are tags too, up to the
// next comma, and differ from the same with quotes.
func parseTag(list string) (tag entityTag, rest string, ok bool) {
	list = strings.TrimLeft(list, " \t,")
	if list == "" {
		return entityTag{}, "", false
	}
	if tail, weak := strings.CutPrefix(list, "W/"); weak {
		tag.weak, list = true, tail
	}
	if !strings.HasPrefix(list, `"`) {
		tag.opaque, rest, _ = strings.Cut(list, ",")
		tag.opaque = field.Trim(tag.opaque)
		return tag, rest, tag.opaque != ""
	}
	end := strings.IndexByte(list[1:], '"')
	if end < 0 {
		return entityTag{}, "", false
	}
	tag.opaque, rest = list[:end+2], list[end+2:]
	return tag, rest, true
}

// storedTag returns the entity tag of a response.
func storedTag(resp field.Fields) (tag entityTag, ok bool) {
	value, ok := resp.Get("ETag")
	if !ok {
		return entityTag{}, false
	}
	tag, _, ok = parseTag(value)
	return tag, ok
}

// weakEqual and strongEqual are the comparisons of RFC 9110 section 8.8.3.2.
func (t entityTag) weakEqual(o entityTag) bool { return t.opaque == o.opaque }

func (t entityTag) strongEqual(o entityTag) bool {
	return !t.weak && !o.weak && t.opaque == o.opaque
}

// tagListed tells whether a request field, such as If-None-Match, has "*" or a
// tag that equals the stored one.
func tagListed(req field.Fields, name string, stored entityTag, has bool, equal func(a, b entityTag) bool) bool {
	for i := range req {
		if !field.EqualFold(req[i].Name, name) {
			continue
		}
		list := req[i].Value
		if list == "*" {
			return true
		}
		for has && list != "" {
			tag, rest, ok := parseTag(list)
			if !ok {
				break
			}
			if equal(tag, stored) {
				return true
			}
			list = rest
		}
	}
	return false
}
