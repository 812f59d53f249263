package httpcache

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// HasValidator tells whether a conditional request can be made of a response.
func HasValidator(resp field.Fields) bool {
	_, ok := storedTag(resp)
	return ok || resp.Has("Last-Modified")
}

// RevalidationFields returns the conditions that ask an origin whether stored
// responses are still good (RFC 9111 section 4.3.1). The first is the one that
// the request selects; the entity tags of other variants may follow, so that
// the origin can point at one of them.
func RevalidationFields(stored ...field.Fields) field.Fields {
	var tags []string
	for _, s := range stored {
		if _, ok := storedTag(s); ok {
			tag, _ := s.Get("ETag")
			tags = append(tags, tag)
		}
	}
	var conditions field.Fields
	if len(tags) > 0 {
		conditions = conditions.Add("If-None-Match", strings.Join(tags, ", "))
	}
	if len(stored) > 0 {
		if changed, ok := stored[0].Get("Last-Modified"); ok {
			conditions = conditions.Add("If-Modified-Since", changed)
		}
	}
	return conditions
}

// MatchesStored tells whether a 304 is about that stored response (RFC 9111
// section 4.3.4): a strong validator must be the same, a weak one must match.
// A 304 without any validator is taken to be about the response that the
// condition was made of: many origins send it so, and it can mean no other. That
// does not hold where the condition named several.
func MatchesStored(stored, fresh304 field.Fields) bool {
	old, hasOld := storedTag(stored)
	tag, has := storedTag(fresh304)
	if has && !tag.weak {
		return hasOld && tag.strongEqual(old)
	}
	if has && hasOld {
		return tag.weakEqual(old)
	}
	changed, dated := fresh304.Get("Last-Modified")
	if !dated {
		return !has
	}
	before, ok := stored.Get("Last-Modified")
	return ok && sameDate(before, changed, stored)
}

func sameDate(a, b string, stored field.Fields) bool {
	if a == b {
		return true
	}
	x, ok1 := parseDate(a, madeAt(stored))
	y, ok2 := parseDate(b, madeAt(stored))
	return ok1 && ok2 && x == y
}

// HeadEffect is what a response to HEAD says of a stored response to GET.
type HeadEffect uint8

const (
	HeadSilent      HeadEffect = iota // nothing
	HeadRefreshes                     // it is the same: its fields may be merged
	HeadInvalidates                   // it is another: the stored one counts as stale
)

// HeadAgrees compares a response to HEAD with a stored one to GET of the same
// status (RFC 9111 section 4.3.5). Each validator that HEAD brings must be
// equal, and Content-Length where both have one; refreshing takes at least one
// validator.
func HeadAgrees(stored, head field.Fields) HeadEffect {
	if length, ok := head.Get("Content-Length"); ok {
		if was, ok := stored.Get("Content-Length"); ok && was != length {
			return HeadInvalidates
		}
	}
	effect := HeadSilent
	for _, name := range [...]string{"ETag", "Last-Modified"} {
		value, ok := head.Get(name)
		if !ok {
			continue
		}
		if was, _ := stored.Get(name); was != value {
			return HeadInvalidates
		}
		effect = HeadRefreshes
	}
	return effect
}
