package server

import (
	"bytes"
	"math"
	"strings"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// cutField splits a field line of a head or a trailer section into its name
// and its trimmed value (RFC 9112 section 5).
func cutField(line []byte) (name, value []byte, reason event.RefusedReason) {
	if isSpace(line[0]) {
		return nil, nil, event.RefusedFolding
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	switch {
	case !ok || len(name) == 0:
		return nil, nil, event.RefusedInvalidFieldName
	case isSpace(name[len(name)-1]):
		return nil, nil, event.RefusedSpaceBeforeColon
	case !isToken(name):
		return nil, nil, event.RefusedInvalidFieldName
	}
	value = bytes.Trim(value, " \t")
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return nil, nil, event.RefusedInvalidFieldValue
		}
	}
	return name, value, ""
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// parseLength takes digits and nothing else: no sign, no space, no list, and
// no more than an int64 holds (RFC 9112 section 6.3).
func parseLength(value []byte) (n int64, ok bool) {
	for _, c := range value {
		if !isDigit(c) || n > (math.MaxInt64-int64(c-'0'))/10 {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, len(value) > 0
}

// checkCoding admits "chunked" and nothing else. A list that ends in it could
// be a request that we do not implement, which is 501 (RFC 9112 section 6.1);
// without it at the end nobody knows where the body ends, which is 400
// (section 6.3).
func checkCoding(value string) event.RefusedReason {
	if strings.EqualFold(value, "chunked") {
		return ""
	}
	codings := strings.Split(value, ",")
	for i, c := range codings {
		c = field.Trim(c)
		last := i == len(codings)-1
		if !field.ValidName(c) || strings.EqualFold(c, "chunked") != last {
			return event.RefusedInvalidCoding
		}
	}
	return event.RefusedUnknownCoding
}

// frames tells whether a field says where a message ends or whom it is for: it
// has no place in a trailer section (RFC 9110 section 6.5.1).
func frames(name string) bool {
	for _, f := range [...]string{
		"Transfer-Encoding", "Content-Length", "Trailer", "Host", "Connection", "Upgrade",
	} {
		if field.EqualFold(name, f) {
			return true
		}
	}
	return false
}

// namesFraming tells whether a Trailer field announces a field that frames.
func namesFraming(list string) bool {
	for name := range strings.SplitSeq(list, ",") {
		if frames(field.Trim(name)) {
			return true
		}
	}
	return false
}
