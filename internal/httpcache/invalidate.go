package httpcache

import (
	"slices"

	"github.com/rescind-edge/rescind/internal/field"
)

// SafeMethod tells whether a method is registered as safe (RFC 9110 section
// 9.2.1). An unknown one is not.
func SafeMethod(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH":
		return true
	}
	return false
}

// InvalidatesTarget tells whether an exchange makes what is stored for its
// target, in all variants, unusable: an unsafe method that did not fail
// (RFC 9111 section 4.4).
func InvalidatesTarget(method string, status int) bool {
	return !SafeMethod(method) && status >= 200 && status <= 399
}

// InvalidatedTargets returns what such an exchange makes unusable: its target,
// and what Location and Content-Location name on the same origin. Other origins
// have no say over each other's content (RFC 9111 section 4.4).
func InvalidatedTargets(t field.Target, resp field.Fields) []field.Target {
	targets := []field.Target{t}
	for _, name := range [...]string{"Location", "Content-Location"} {
		reference, ok := resp.Get(name)
		if !ok {
			continue
		}
		other, ok := resolveReference(t, reference)
		if ok && other.Scheme == t.Scheme && other.Host == t.Host && !slices.Contains(targets, other) {
			targets = append(targets, other)
		}
	}
	return targets
}
