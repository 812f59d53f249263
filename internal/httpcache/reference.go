package httpcache

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// resolveReference resolves a URI reference against a target (RFC 3986 section
// 5.2). Nothing is decoded. ok is false where the result is not on a web host.
//
// net/url would decode and re-encode the path, so that what an origin could
// tell apart would become one.
func resolveReference(base field.Target, reference string) (t field.Target, ok bool) {
	for i := 0; i < len(reference); i++ {
		if reference[i] <= ' ' || reference[i] == 0x7f {
			return field.Target{}, false
		}
	}
	reference, _, _ = strings.Cut(reference, "#")
	rest, query, hasQuery := strings.Cut(reference, "?")
	t = field.Target{Scheme: base.Scheme, Host: base.Host, Query: query, HasQuery: hasQuery}
	if scheme, tail, ok := cutScheme(rest); ok {
		if rest = tail; !strings.HasPrefix(rest, "//") {
			return field.Target{}, false // "mailto:" and the like
		}
		t.Scheme = strings.ToLower(scheme)
	}
	switch {
	case strings.HasPrefix(rest, "//"):
		return withAuthority(t, rest[2:])
	case strings.HasPrefix(rest, "/"):
		t.Path = removeDots(rest)
	case rest == "":
		t.Path = base.Path
		if !hasQuery {
			t.Query, t.HasQuery = base.Query, base.HasQuery
		}
	default:
		t.Path = removeDots(base.Path[:strings.LastIndexByte(base.Path, '/')+1] + rest)
	}
	return t, strings.HasPrefix(t.Path, "/")
}

func withAuthority(t field.Target, rest string) (field.Target, bool) {
	authority, path := rest, "/"
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	host, ok := field.NormalHost(t.Scheme, authority)
	t.Host, t.Path = host, removeDots(path)
	return t, ok && (t.Scheme == "http" || t.Scheme == "https" || t.Scheme == "")
}

// cutScheme cuts a scheme off a reference (RFC 3986 section 3.1).
func cutScheme(s string) (scheme, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return s[:i], s[i+1:], true
		default:
			return "", s, false
		}
	}
	return "", s, false
}

// removeDots removes dot segments from an absolute path (RFC 3986 section 5.2.4).
func removeDots(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	segments := strings.Split(path[1:], "/")
	kept := segments[:0]
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		case ".":
		default:
			kept = append(kept, s)
			continue
		}
		if last {
			kept = append(kept, "") // what ends in a dot segment names a directory
		}
	}
	return "/" + strings.Join(kept, "/")
}
