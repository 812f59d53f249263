package http1

import "github.com/rescind-edge/rescind/internal/field"

// text is what a message is read as: bytes where they are, or a copy of them.
type text interface{ string | []byte }

// CutField splits a field line, without its end, into its name and its trimmed
// value (RFC 9112 section 5), which are parts of it. It does not allocate.
func CutField[T text](line T) (name, value T, fault Fault) {
	colon := 0
	for colon < len(line) && field.IsTokenByte(line[colon]) {
		colon++
	}
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		return name, value, nameFault(line)
	}
	start, end := colon+1, len(line)
	for start < end && isBlank(line[start]) {
		start++
	}
	for start < end && isBlank(line[end-1]) {
		end--
	}
	for i := start; i < end; i++ {
		if c := line[i]; c < ' ' && c != '\t' || c == 0x7f {
			return name, value, FieldValue
		}
	}
	return line[:colon], line[start:end], NoFault
}

// nameFault tells what is wrong with a line that does not begin with a token and
// a colon.
func nameFault[T text](line T) Fault {
	if len(line) > 0 && isBlank(line[0]) {
		return Folding
	}
	for i := 1; i < len(line); i++ {
		if line[i] == ':' && isBlank(line[i-1]) {
			return SpaceBeforeColon
		}
		if line[i] == ':' {
			break
		}
	}
	return FieldName
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
