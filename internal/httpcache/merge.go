package httpcache

import "github.com/rescind-edge/rescind/internal/field"

// Merge returns the fields of a stored response after a 304 (RFC 9111
// section 3.2): every field of the new response replaces
// the stored lines of that name, but for those that describe the stored body
// and those about the connection. Store decides anew about the result.
//
// Date and Age are never left over from the stored response: what the new one
// does not say of its own age must not make it as old as the body.
func Merge(stored, fresh304 field.Fields) field.Fields {
	update := EndToEnd(fresh304, make(field.Fields, 0, len(fresh304)))
	if strengthens(stored, update) {
		update = update.Without("ETag")
	}
	merged := make(field.Fields, 0, len(stored)+len(update))
	for _, f := range stored {
		switch {
		case field.EqualFold(f.Name, "Date"), field.EqualFold(f.Name, "Age"):
		case update.Has(f.Name) && !describesBody(f.Name):
		default:
			merged = append(merged, f)
		}
	}
	for _, f := range update {
		if !describesBody(f.Name) {
			merged = append(merged, f)
		}
	}
	return merged
}

// strengthens tells whether a 304 has the strong form of a stored weak entity
// tag (see MatchesStored): the strong one is another form's, and the stored
// bytes keep the weak one.
func strengthens(stored, fresh304 field.Fields) bool {
	old, hasOld := storedTag(stored)
	tag, has := storedTag(fresh304)
	return has && hasOld && old.weak && !tag.weak
}

// describesBody tells whether a field belongs to the bytes that are stored
// rather than to the response: a 304 has none, and what it says of them may be
// about its own empty body.
func describesBody(name string) bool {
	return field.EqualFold(name, "Content-Length") || field.EqualFold(name, "Content-Encoding") ||
		field.EqualFold(name, "Content-Range")
}

// NotModifiedFields returns what a 304 to a client carries of a stored
// response: all that could update the client's copy or that a browser checks
// on the 304 itself, such as Access-Control-Allow-Origin, and nothing that
// describes a body (RFC 9110 section 15.4.5). It filters in place.
func NotModifiedFields(stored field.Fields) field.Fields {
	kept := stored[:0]
	for _, f := range stored {
		if !describesBody(f.Name) && !describesContent(f.Name) {
			kept = append(kept, f)
		}
	}
	return kept
}

func describesContent(name string) bool {
	for _, n := range [...]string{
		"Content-Type", "Content-Language", "Content-Disposition", "Content-MD5",
		"Content-Digest", "Repr-Digest", "Digest", "Accept-Ranges", "Trailer",
	} {
		if field.EqualFold(name, n) {
			return true
		}
	}
	return false
}
