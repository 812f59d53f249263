package field

import (
	"strconv"
	"strings"
)

// Target is the target of a request, its parts as they were sent: nothing is
// decoded, because what an origin could tell apart must stay apart.
type Target struct {
	Scheme   string // "http" or "https"; empty in a selector that means both
	Host     string // authority in lower case, without a default port and without a final dot
	Path     string // raw, starting with "/"; "*" for OPTIONS *
	Query    string // raw, without "?"
	HasQuery bool   // tells "/a?" from "/a"
}

// Raw returns path and query as they go on a request line.
func (t Target) Raw() string {
	if !t.HasQuery {
		return t.Path
	}
	return t.Path + "?" + t.Query
}

// String returns the whole URL, protocol-relative where the scheme is unknown.
func (t Target) String() string {
	if t.Scheme == "" {
		return "//" + t.Host + t.Raw()
	}
	return t.Scheme + "://" + t.Host + t.Raw()
}

// Hostname returns the host without a port.
func (t Target) Hostname() string { return Hostname(t.Host) }

// SplitRaw splits a raw request target in origin form at the first "?".
func SplitRaw(raw string) (path, query string, hasQuery bool) {
	return strings.Cut(raw, "?")
}

// NormalHost returns an authority in the form that Target.Host has: lower
// case, without the default port of scheme (both defaults
// where scheme is empty) and without a final dot. ok is false where it is not
// a host with an optional port (RFC 3986 section 3.2.2); userinfo is refused.
func NormalHost(scheme, authority string) (host string, ok bool) {
	name, port := SplitPort(authority)
	if strings.HasPrefix(name, "[") {
		if !validIPLiteral(name) {
			return "", false
		}
	} else {
		name = strings.TrimSuffix(name, ".")
		if !validRegName(name) {
			return "", false
		}
	}
	for i := 0; i < len(port); i++ {
		if port[i] < '0' || port[i] > '9' {
			return "", false
		}
	}
	if len(port) > 5 {
		return "", false
	}
	name = strings.ToLower(name)
	if port == "" || defaultPort(scheme, port) {
		return name, true
	}
	return name + ":" + port, true
}

func defaultPort(scheme, port string) bool {
	return port == "80" && scheme != "https" || port == "443" && scheme != "http"
}

// SplitPort cuts a port off an authority. A missing or empty port is "".
func SplitPort(authority string) (name, port string) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.IndexByte(authority[i:], ']') >= 0 {
		return authority, ""
	}
	return authority[:i], authority[i+1:]
}

// Hostname returns an authority without its port.
func Hostname(authority string) string {
	name, _ := SplitPort(authority)
	return name
}

// validRegName admits what real host names and the labels of RFC 3986 consist
// of, without percent-encoding: nobody resolves it and it invites two
// spellings of one host.
func validRegName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

// validIPLiteral admits an IPv6 address in brackets (RFC 3986 section 3.2.2),
// without a zone and not of a future version.
func validIPLiteral(s string) bool {
	if len(s) < 4 || s[len(s)-1] != ']' {
		return false
	}
	left, right, compressed := strings.Cut(s[1:len(s)-1], "::")
	if !compressed {
		return groups(left, true) == 8
	}
	l, r := groups(left, false), groups(right, true)
	return l >= 0 && r >= 0 && l+r <= 7
}

// groups counts the 16-bit groups of part of an IPv6 address, of which an IPv4
// address at the end makes two; -1 where it is none.
func groups(s string, end bool) (n int) {
	if s == "" {
		return 0
	}
	for s != "" || n == 0 {
		group, rest, more := strings.Cut(s, ":")
		if !more && end && validIPv4(group) {
			return n + 2
		}
		if len(group) < 1 || len(group) > 4 || more && rest == "" {
			return -1
		}
		for i := range len(group) {
			if Unhex(group[i]) < 0 {
				return -1
			}
		}
		n, s = n+1, rest
	}
	return n
}

func validIPv4(s string) bool {
	parts := strings.Split(s, ".")
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || strconv.FormatUint(n, 10) != p {
			return false
		}
	}
	return len(parts) == 4
}
