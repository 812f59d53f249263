package field

import "strings"

// Lists tells whether a comma-separated list of tokens (RFC 9110 section 5.6.1)
// has one, without regard to ASCII case. No list has the empty token.
func Lists(list, token string) bool {
	if EqualFold(list, token) {
		return token != ""
	}
	return token != "" && AnyMember(list, func(member string) bool { return EqualFold(member, token) })
}

// AnyMember tells whether a comma-separated list has a wanted member. White
// space around members is not part of them. It knows no quoted strings: where a
// list may hold some, it finds what only looks like a member too.
func AnyMember(list string, wanted func(member string) bool) bool {
	for member := range strings.SplitSeq(list, ",") {
		if wanted(Trim(member)) {
			return true
		}
	}
	return false
}

// Lists tells whether any line named name lists a token.
func (f Fields) Lists(name, token string) bool {
	for i := range f {
		if EqualFold(f[i].Name, name) && Lists(f[i].Value, token) {
			return true
		}
	}
	return false
}
