package server

import (
	"bytes"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// maxMethodBytes bounds a method. The longest registered is 17 bytes long
// (UPDATEREDIRECTREF); a longer one is answered 501, as RFC 9112 section 3 asks.
const maxMethodBytes = 32

// boundRequestLine judges as much of a request line as is there, so that
// neither a method, nor a target, nor bytes that are not HTTP at all are
// collected to no end. What it refuses it refuses however much follows.
func boundRequestLine(line []byte, maxTarget int) event.RefusedReason {
	method, rest, cut := bytes.Cut(line, []byte(" "))
	if !isToken(method[:min(len(method), maxMethodBytes)]) {
		return event.RefusedMethod
	}
	if len(method) > maxMethodBytes {
		return event.RefusedMethodTooLong
	}
	if !cut {
		return ""
	}
	target, _, _ := bytes.Cut(rest, []byte(" "))
	if len(target) > maxTarget {
		return event.RefusedTargetTooLong
	}
	return ""
}

// takeRequestLine takes a whole request line: a method, a target and a version
// with one space between each (RFC 9112 section 3).
func (h *head) takeRequestLine(line []byte) event.RefusedReason {
	method, rest, ok1 := bytes.Cut(line, []byte(" "))
	target, version, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok1 || !ok2 || len(method) == 0 || len(target) == 0 {
		return event.RefusedRequestLine
	}
	switch string(version) {
	case "HTTP/1.1":
		h.version = 1
	case "HTTP/1.0":
		h.version = 0
	default:
		if isVersion(version) {
			return event.RefusedUnsupportedVersion
		}
		return event.RefusedRequestLine
	}
	t, ok := parseTarget(string(method), string(target))
	if !ok {
		return event.RefusedTarget
	}
	h.scheme, h.authority = t.scheme, t.authority
	return ""
}

// isVersion tells whether b is an HTTP-version (RFC 9112 section 2.3).
func isVersion(b []byte) bool {
	return len(b) == 8 && string(b[:5]) == "HTTP/" && isDigit(b[5]) && b[6] == '.' && isDigit(b[7])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

func isToken(b []byte) bool {
	for _, c := range b {
		if !field.IsTokenByte(c) {
			return false
		}
	}
	return true
}
