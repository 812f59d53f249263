package compress

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// DefaultMinSize is the least length worth compressing, in bytes: what is
// shorter fits a packet or two anyway, and may grow.
const DefaultMinSize = 1 << 10

// Rule says which responses are worth compressing.
type Rule struct {
	// Types are media types in any case: "application/json", all of a type as
	// "text/*", or all of a structured syntax as "+json" (RFC 6838 section
	// 4.2.8). text/event-stream has to be named: its receiver waits for each
	// line, which whoever encodes must then flush. Nil: DefaultTypes.
	Types []string
	// MinSize is the least length in bytes. Zero: DefaultMinSize.
	MinSize int64
}

// DefaultTypes returns the media types that compress well. Images, films,
// archives and WOFF fonts are not among them: they are compressed already.
func DefaultTypes() []string {
	return []string{
		"text/*", "+json", "+xml", "application/json", "application/javascript", "application/x-javascript",
		"application/xml", "application/wasm", "application/vnd.ms-fontobject", "application/x-ndjson",
		"font/otf", "font/ttf", "font/collection", "image/bmp", "image/x-icon", "image/vnd.microsoft.icon",
	}
}

// Eligible tells whether a response is to be compressed, for whatever client.
// The length is that of its body, negative where it is not known yet, which is
// taken for long enough.
//
// Not eligible are responses that have no body or only a part of one (RFC 9110
// sections 15.2, 15.3.5, 15.3.7, 15.4.5), that are encoded already, and those
// whose origin forbids it by no-transform (RFC 9111 section 5.2.2.6).
func Eligible(status int, resp field.Fields, length int64, rule Rule) bool {
	switch {
	case status < 200, status == 204, status == 205, status == 206, status == 304:
		return false
	case length >= 0 && length < rule.minSize():
		return false
	case resp.Has("Content-Range"), encoded(resp), forbidden(resp):
		return false
	}
	value, _ := resp.Get("Content-Type")
	mediaType, _, _ := strings.Cut(value, ";")
	return rule.matches(field.Trim(mediaType))
}

func (r Rule) minSize() int64 {
	if r.MinSize == 0 {
		return DefaultMinSize
	}
	return r.MinSize
}

func encoded(resp field.Fields) bool {
	value, ok := resp.Joined("Content-Encoding")
	return ok && value != "" && !field.EqualFold(value, Identity.String())
}

// forbidden looks for no-transform. What only looks like it, inside a quoted
// string, counts too: the error is on the side that harms nobody.
func forbidden(resp field.Fields) bool {
	for _, line := range resp {
		if field.EqualFold(line.Name, "Cache-Control") && field.AnyMember(line.Value, isNoTransform) {
			return true
		}
	}
	return false
}

func isNoTransform(directive string) bool {
	name, _, _ := strings.Cut(directive, "=")
	return field.EqualFold(field.Trim(name), "no-transform")
}

func (r Rule) matches(mediaType string) bool {
	types := r.Types
	if types == nil {
		types = DefaultTypes()
	}
	for _, pattern := range types {
		if matchesType(pattern, mediaType) {
			return true
		}
	}
	return false
}

func matchesType(pattern, mediaType string) bool {
	if whole, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasSuffix(whole, "/") {
		return len(mediaType) > len(whole) && field.EqualFold(mediaType[:len(whole)], whole) &&
			!field.EqualFold(mediaType, "text/event-stream")
	}
	if strings.HasPrefix(pattern, "+") {
		n := len(mediaType) - len(pattern)
		return n > 0 && field.EqualFold(mediaType[n:], pattern)
	}
	return field.EqualFold(pattern, mediaType)
}
