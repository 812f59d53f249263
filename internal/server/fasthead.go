package server

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"github.com/rescind-edge/rescind/internal/field"
)

// headVerdict is what scanHead says of a head.
type headVerdict uint8

const (
	// undecided leaves the head to the strict parser, which refuses nothing
	// without saying why.
	undecided headVerdict = iota
	// bodyless tells that the head is strict and that no body follows it.
	bodyless
	// simple tells that it is bodyless and as FastRequest says.
	simple
)

// scanHead judges b in one pass and without allocating. It accepts less than
// head.advance does, and nothing that head.advance refuses: GET and HEAD in
// origin form by HTTP/1.1, with no field that bears on framing, and with
// nothing behind the head.
//
// Where the verdict is simple, r has the parts of the request, which are views
// of b; otherwise r is undefined.
func scanHead(b []byte, l *Limits, r *FastRequest) headVerdict {
	if len(b) > l.MaxHeaderBytes || !endsHead(b) {
		return undecided
	}
	at := scanRequestLine(b, l.MaxURLBytes, r)
	if at == 0 {
		return undecided
	}
	r.Host, r.Fields = "", r.Fields[:0]
	verdict := simple
	for lines := 0; b[at] != '\r'; lines++ {
		name, value, next := scanField(b, at)
		if next == 0 || lines == l.MaxHeaderFields {
			return undecided
		}
		at = next
		switch roleOf(name) {
		case roleNone:
			r.Fields = append(r.Fields, field.Field{Name: name, Value: value})
		case roleHost:
			if r.Host != "" || !plainHost(value) {
				return undecided
			}
			r.Host = value
		case roleConnection:
			if !keepsAlive(value) {
				verdict = bodyless
			}
		case roleUnusual:
			verdict = bodyless
		case roleFraming:
			return undecided
		}
	}
	if at+len("\r\n") != len(b) || r.Host == "" {
		return undecided // more follows, or less than HTTP/1.1 asks for
	}
	return verdict
}

// endsHead tells whether b ends as a head does. The loops below rely on it:
// there is always a byte that stops them.
func endsHead(b []byte) bool {
	return len(b) > 4 && string(b[len(b)-4:]) == "\r\n\r\n"
}

const versionAndEnd = "HTTP/1.1\r\n"

// scanRequestLine returns where the line behind the request line begins, or 0.
func scanRequestLine(b []byte, maxTarget int, r *FastRequest) int {
	var at int
	switch {
	case string(b[:5]) == "GET /":
		r.Method, at = "GET", 4
	case string(b[:5]) == "HEAD ":
		r.Method, at = "HEAD", 5
	default:
		return 0
	}
	end := endOfTarget(b, at)
	if end == 0 || b[end] != ' ' || end-at > maxTarget {
		return 0
	}
	r.Target = view(b[at:end])
	next := end + 1 + len(versionAndEnd)
	if next > len(b) || string(b[end+1:next]) != versionAndEnd {
		return 0
	}
	return next
}

// endOfTarget returns where a target in origin form ends, or 0: a path whose
// every "%" begins a percent-encoded byte, and a query (see parseTarget).
func endOfTarget(b []byte, at int) int {
	if b[at] != '/' {
		return 0
	}
	for {
		for inPath[b[at]] {
			at++
		}
		switch b[at] {
		case '%':
			if field.Unhex(b[at+1]) < 0 || field.Unhex(b[at+2]) < 0 {
				return 0
			}
			at += 3
		case '?':
			for inQuery[b[at]] {
				at++
			}
			return at
		default:
			return at
		}
	}
}

// scanField cuts the field line that begins at b[at] (see http1.CutField) and returns
// where the next line begins, or 0.
func scanField(b []byte, at int) (name, value string, next int) {
	i := at
	for inToken[b[i]] {
		i++
	}
	if i == at || b[i] != ':' {
		return "", "", 0
	}
	name = view(b[at:i])
	i++
	for isSpace(b[i]) {
		i++
	}
	start := i
	i = endOfValue(b, i)
	if b[i] != '\r' || b[i+1] != '\n' {
		return "", "", 0
	}
	end := i
	for end > start && isSpace(b[end-1]) {
		end--
	}
	return name, view(b[start:end]), i + len("\r\n")
}

// endOfValue returns the index of the first byte from i on that cannot stand in
// a field value. It looks at eight at a time, because half of a head is values.
func endOfValue(b []byte, i int) int {
	for i+8 <= len(b) {
		stop := controls(binary.LittleEndian.Uint64(b[i:]))
		if stop == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(stop) / 8
		if b[i] != '\t' {
			return i
		}
		i++
	}
	for b[i] >= ' ' && b[i] != 0x7f || b[i] == '\t' {
		i++
	}
	return i
}

// controls marks the bytes of x that are control characters by their highest
// bit. Marks above the lowest may be wrong: a borrow goes upwards.
func controls(x uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	below := (x - ' '*ones) &^ x // of each byte below 0x20
	y := x ^ 0x7f*ones           // zero where there is a DEL
	return (below | (y-ones)&^y) & highs
}

// view returns a string that shares b's memory.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
