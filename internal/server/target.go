package server

import (
	"net/url"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// target is what of a request target matters here: where it has an authority
// of its own, that and its scheme.
type target struct {
	scheme, authority string
}

// parseTarget judges a request target in any of its four forms (RFC 9112
// section 3.2). Visible ASCII is let through, whether RFC 3986 has a place for
// it or not, because browsers send "|" and "^"; but not "#", which some servers
// take for the end of the target and others do not.
//
// It is at least as strict as net/url, which net/http parses targets with:
// whatever it lets through, net/http does not refuse.
func parseTarget(method, raw string) (target, bool) {
	for i := 0; i < len(raw); i++ {
		if c := raw[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return target{}, false
		}
	}
	switch {
	case method == "CONNECT":
		return parseAuthorityForm(raw)
	case raw == "*":
		return target{}, method == "OPTIONS"
	case strings.HasPrefix(raw, "/"):
		path, _, _ := field.SplitRaw(raw)
		return target{}, validEscapes(path)
	}
	return parseAbsoluteForm(raw)
}

// parseAuthorityForm takes a host with its port (RFC 9112 section 3.2.3).
func parseAuthorityForm(raw string) (target, bool) {
	if _, port := field.SplitPort(raw); port == "" {
		return target{}, false
	}
	if _, ok := field.NormalHost("", raw); !ok {
		return target{}, false
	}
	_, err := url.ParseRequestURI("http://" + raw)
	return target{authority: raw}, err == nil
}

// parseAbsoluteForm takes an http or https URL (RFC 9112 section 3.2.2),
// without userinfo (RFC 9110 section 4.2.4).
func parseAbsoluteForm(raw string) (target, bool) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return target{}, false
	}
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		return target{}, false
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority = rest[:i]
	}
	if _, ok := field.NormalHost(scheme, authority); !ok {
		return target{}, false
	}
	_, err := url.ParseRequestURI(raw)
	return target{scheme: scheme, authority: authority}, err == nil
}

// validEscapes tells whether every "%" begins a percent-encoded byte.
func validEscapes(path string) bool {
	for i := 0; i < len(path); i++ {
		if path[i] != '%' {
			continue
		}
		if i+2 >= len(path) || field.Unhex(path[i+1]) < 0 || field.Unhex(path[i+2]) < 0 {
			return false
		}
		i += 2
	}
	return true
}
