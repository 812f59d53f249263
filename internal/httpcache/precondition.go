package httpcache

import "github.com/rescind-edge/rescind/internal/field"

// Condition is the outcome of a request's preconditions.
type Condition uint8

const (
	Proceed     Condition = iota // answer as if there were none
	NotModified                  // 304: the client's copy is good
	Failed                       // 412: the response is not what the client expects
)

// String returns the outcome as a token.
func (c Condition) String() string {
	switch c {
	case Proceed:
		return "proceed"
	case NotModified:
		return "not-modified"
	case Failed:
		return "failed"
	}
	return "unknown"
}

// Precondition evaluates a request's conditions against the response that would
// answer it, in the order of RFC 9110 section 13.2.2. It is for responses of
// status 200 only (section 13.2.1), and where the stored response had to be
// revalidated, for after that. A cache may ignore If-Match and
// If-Unmodified-Since (RFC 9111 section 4.3.2), but a client that sends them
// does not want another representation, and would get one. It does not allocate.
func Precondition(method string, req, stored field.Fields) Condition {
	if !Conditional(req) {
		return Proceed
	}
	if !expected(req, stored) {
		return Failed
	}
	known := false
	if req.Has("If-None-Match") {
		tag, has := storedTag(stored)
		known = tagListed(req, "If-None-Match", tag, has, entityTag.weakEqual)
	} else if safeRead(method) {
		known = unmodifiedSince(req, stored)
	}
	switch {
	case !known:
		return Proceed
	case safeRead(method):
		return NotModified
	}
	return Failed
}

func safeRead(method string) bool { return method == "GET" || method == "HEAD" }

// Conditional tells quickly that most requests have no conditions; where it
// returns true, a request may have some, If-Range among them.
func Conditional(req field.Fields) bool {
	for i := range req {
		if n := req[i].Name; len(n) > 3 && n[2] == '-' && field.EqualFold(n[:2], "If") {
			return true
		}
	}
	return false
}

// expected evaluates If-Match, or where there is none If-Unmodified-Since
// (RFC 9110 sections 13.1.1 and 13.1.4).
func expected(req, stored field.Fields) bool {
	if req.Has("If-Match") {
		tag, has := storedTag(stored)
		return tagListed(req, "If-Match", tag, has, entityTag.strongEqual)
	}
	limit, ok := requestDate(req, "If-Unmodified-Since", stored)
	if !ok {
		return true
	}
	changed, ok := storedDate(stored, "Last-Modified")
	return !ok || changed <= limit
}

// unmodifiedSince evaluates If-Modified-Since. A response without Last-Modified
// counts as changed when it was made (RFC 9111 section 4.3.2).
func unmodifiedSince(req, stored field.Fields) bool {
	since, ok := requestDate(req, "If-Modified-Since", stored)
	if !ok {
		return false
	}
	changed, ok := storedDate(stored, "Last-Modified")
	if !ok {
		changed, ok = storedDate(stored, "Date")
	}
	return ok && changed <= since
}

// requestDate returns the date in a request field. An invalid one is ignored,
// and so are several.
func requestDate(req field.Fields, name string, stored field.Fields) (seconds int64, ok bool) {
	value, ok := req.Get(name)
	if !ok || req.Count(name) > 1 {
		return 0, false
	}
	return parseDate(value, madeAt(stored))
}

func storedDate(stored field.Fields, name string) (seconds int64, ok bool) {
	value, ok := stored.Get(name)
	if !ok {
		return 0, false
	}
	return parseDate(value, madeAt(stored))
}

// withoutDate stands in for the Date of a response that has none, or has a
// two-digit year there: 1 January 2024, which serves until 2073. Store gives
// everything that is stored a Date.
const withoutDate = 1704067200

// madeAt returns the Date of a response in Unix seconds. It is near enough to
// the present to settle the century of a two-digit year.
func madeAt(stored field.Fields) int64 { return dateOf(stored, withoutDate) }
