package server

import (
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/http1"
)

// head is a request head that is being read. It is given the bytes received so
// far, again and again as they grow, and looks at each once. Its verdict does
// not depend on how the bytes were cut into pieces.
type head struct {
	limits *Limits

	lineStart int // where the line being read begins
	scanned   int // up to where that line was searched for its end
	lines     int // complete lines

	version        byte   // minor version: 0 or 1
	scheme         string // of the target, where it has one
	authority      string // of the target, where it has one
	host           string
	hosts          int // field lines of that name, and so on
	length         int64
	lengths        int
	coding         string
	codings        int
	expect         string
	expects        int
	namesForbidden bool // Trailer announces a field that cannot be a trailer
	chunked        bool // set by finish
}

func newHead(l *Limits) head { return head{limits: l} }

// hasBody tells, of a strict head, whether a body follows it.
func (h *head) hasBody() bool { return h.chunked || h.length > 0 }

// advance looks at b, which is all that was received from the beginning of the
// head on. It returns the size of the head once its end is there, the reason
// if it is to be refused, and neither where more is needed.
//
// Each line is judged when its end arrives, except for what is bounded, which
// is judged on as much as there is, limits first: so a verdict is the same for
// a head that arrives in one piece and for one that arrives byte by byte.
func (h *head) advance(b []byte) (size int, reason event.RefusedReason) {
	window := b[:min(len(b), h.limits.MaxHeaderBytes)]
	for {
		line, end := h.cutLine(window)
		if h.lines == 0 {
			if reason := boundRequestLine(line, h.limits.MaxURLBytes); reason != "" {
				return 0, reason
			}
		}
		switch end {
		case lineOpen:
			if len(window) == h.limits.MaxHeaderBytes {
				return 0, event.RefusedHeadTooLarge
			}
			return 0, ""
		case lineBareLF:
			return 0, event.RefusedBareLF
		case lineBareCR:
			return 0, event.RefusedBareCR
		}
		if len(line) == 0 && h.lines > 0 {
			return h.scanned, h.finish()
		}
		if reason := h.takeLine(line); reason != "" {
			return 0, reason
		}
		h.lines++
		h.lineStart = h.scanned
	}
}

// lineEnd is how a line ends.
type lineEnd uint8

const (
	lineOpen   lineEnd = iota // its end has not arrived
	lineWhole                 // CRLF
	lineBareLF                // LF alone
	lineBareCR                // CR and then something else
)

// cutLine returns the current line as far as it is there, without its end, and
// moves h.scanned behind that end or to where the search goes on.
func (h *head) cutLine(window []byte) ([]byte, lineEnd) {
	i := h.scanned
	for i < len(window) && window[i] != '\r' && window[i] != '\n' {
		i++
	}
	h.scanned = i
	line := window[h.lineStart:i]
	switch {
	case i == len(window):
		return line, lineOpen
	case window[i] == '\n':
		return line, lineBareLF
	case i+1 == len(window):
		return line, lineOpen
	case window[i+1] != '\n':
		return line, lineBareCR
	}
	h.scanned = i + 2
	return line, lineWhole
}

func (h *head) takeLine(line []byte) event.RefusedReason {
	if h.lines == 0 {
		return h.takeRequestLine(line)
	}
	if h.lines > h.limits.MaxHeaderFields {
		return event.RefusedTooManyFields
	}
	name, value, fault := http1.CutField(line)
	if fault != http1.NoFault {
		return reasons[fault]
	}
	return h.takeField(string(name), value)
}

// takeField keeps what framing and routing depend on.
func (h *head) takeField(name string, value []byte) event.RefusedReason {
	switch {
	case field.EqualFold(name, "Host"):
		h.hosts++
		h.host = string(value)
	case field.EqualFold(name, "Content-Length"):
		h.lengths++
		var ok bool
		if h.length, ok = http1.ParseLength(value); !ok {
			return event.RefusedInvalidLength
		}
	case field.EqualFold(name, "Transfer-Encoding"):
		h.codings++
		h.coding = string(value)
	case field.EqualFold(name, "Expect"):
		h.expects++
		h.expect = string(value)
	case field.EqualFold(name, "Trailer"):
		h.namesForbidden = h.namesForbidden || field.AnyMember(string(value), cannotTrail)
	}
	return ""
}

func cannotTrail(name string) bool { return !http1.MayTrail(name) }

// finish judges the head as a whole, once all of it is there.
func (h *head) finish() event.RefusedReason {
	if reason := h.checkFraming(); reason != "" {
		return reason
	}
	if reason := h.checkHost(); reason != "" {
		return reason
	}
	return h.checkExpect()
}

// checkFraming admits one way to find the end of the body, or none
// (RFC 9112 sections 6.1 to 6.3). Lengths that are repeated with equal values
// could be accepted; nobody who means well sends them.
func (h *head) checkFraming() event.RefusedReason {
	switch {
	case h.codings > 0 && h.lengths > 0:
		return event.RefusedLengthAndCoding
	case h.lengths > 1:
		return event.RefusedRepeatedLength
	case h.codings > 0 && h.version == 0:
		return event.RefusedCodingInHTTP10
	case h.codings > 1:
		return event.RefusedInvalidCoding
	case h.codings == 1:
		if fault := http1.CheckCoding(h.coding); fault != http1.NoFault {
			return reasons[fault]
		}
		h.chunked = true
	}
	if h.namesForbidden {
		return event.RefusedTrailerField
	}
	return ""
}

// checkHost admits one Host, required from HTTP/1.1 on (RFC 9112 section 3.2).
// Beside a target that has an authority of its own the field is to be ignored
// (section 3.2.2); one that differs is refused instead, because whatever stands
// before or behind us may look at the other of the two.
func (h *head) checkHost() event.RefusedReason {
	switch {
	case h.hosts > 1:
		return event.RefusedRepeatedHost
	case h.hosts == 0 && h.version == 0:
		return ""
	case h.hosts == 0:
		return event.RefusedMissingHost
	}
	host, ok := field.NormalHost(h.scheme, h.host)
	if !ok {
		return event.RefusedInvalidHost
	}
	if h.authority == "" {
		return ""
	}
	if authority, _ := field.NormalHost(h.scheme, h.authority); authority != host {
		return event.RefusedHostMismatch
	}
	return ""
}

// checkExpect admits the one expectation there is (RFC 9110 section 10.1.1).
func (h *head) checkExpect() event.RefusedReason {
	if h.expects > 1 || h.expects == 1 && !field.EqualFold(h.expect, "100-continue") {
		return event.RefusedUnknownExpect
	}
	return ""
}
