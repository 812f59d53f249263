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
// One departure: where the stored tag is weak and the 304's is the same but for
// that, it matches. Origins that compress on the way out weaken the tag of the
// compressed form, compare the condition weakly, and answer with the tag of the
// file; the condition named one response, and the 304 can mean no other.
// A 304 without any validator is taken to be about the response that the
// condition was made of: many origins send it so, and it can mean no other. That
// does not hold where the condition named several.
func MatchesStored(stored, fresh304 field.Fields) bool {
	old, hasOld := storedTag(stored)
	tag, has := storedTag(fresh304)
	if has && !tag.weak {
		return hasOld && (tag.strongEqual(old) || old.weak && tag.weakEqual(old))
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
