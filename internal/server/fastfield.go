package server

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// fieldRole is what a field has to do with the connection.
type fieldRole uint8

const (
	roleNone fieldRole = iota
	roleHost
	roleConnection
	// roleUnusual is no matter of framing, but changes what net/http or a
	// handler does in ways that are not worth repeating.
	roleUnusual
	// roleFraming decides where the request ends, or whether it may be sent on.
	roleFraming
)

func roleOf(name string) fieldRole {
	switch len(name) {
	case len("TE"):
		return roleIf(name, "TE", roleUnusual)
	case len("Host"):
		return roleIf(name, "Host", roleHost)
	case len("Expect"):
		if role := roleIf(name, "Expect", roleFraming); role != roleNone {
			return role
		}
		return roleIf(name, "Pragma", roleUnusual)
	case len("Upgrade"):
		if role := roleIf(name, "Upgrade", roleUnusual); role != roleNone {
			return role
		}
		return roleIf(name, "Trailer", roleFraming)
	case len("Connection"):
		return roleIf(name, "Connection", roleConnection)
	case len("Content-Length"):
		return roleIf(name, "Content-Length", roleFraming)
	case len("Transfer-Encoding"):
		return roleIf(name, "Transfer-Encoding", roleFraming)
	}
	return roleNone
}

func roleIf(name, special string, role fieldRole) fieldRole {
	if field.EqualFold(name, special) {
		return role
	}
	return roleNone
}

// keepsAlive tells whether a Connection field says nothing but keep-alive,
// which is how HTTP/1.1 is anyway.
func keepsAlive(value string) bool {
	if value == "keep-alive" {
		return true
	}
	for {
		option, rest, more := strings.Cut(value, ",")
		if !field.EqualFold(field.Trim(option), "keep-alive") {
			return false
		}
		if !more {
			return true
		}
		value = rest
	}
}

// plainHost admits a registered name or an IPv4 address with an optional port:
// of what field.NormalHost admits, what is left without IP literals, final dots
// and empty ports.
func plainHost(host string) bool {
	name := host
	if i := strings.IndexByte(host, ':'); i >= 0 {
		name = host[:i]
		if !isPort(host[i+1:]) {
			return false
		}
	}
	if name == "" || len(name) > maxHostName {
		return false
	}
	before := byte('.')
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !inHostName[c] || c == '.' && before == '.' {
			return false
		}
		before = c
	}
	return before != '.'
}

// maxHostName is what DNS admits.
const maxHostName = 253

func isPort(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 5
}

// The bytes that may stand in each part of a head, as the strict parser has it.
var (
	inToken    = byteSet(field.IsTokenByte)
	inQuery    = byteSet(func(c byte) bool { return c > ' ' && c < 0x7f && c != '#' })
	inPath     = byteSet(func(c byte) bool { return inQuery[c] && c != '?' && c != '%' })
	inHostName = byteSet(func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || strings.IndexByte("-._~", c) >= 0
	})
)

func byteSet(has func(byte) bool) (set [256]bool) {
	for c := range set {
		set[c] = has(byte(c))
	}
	return set
}
