package http1

import (
	"math"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// ParseLength reads a Content-Length: digits and nothing else, no sign, no
// blank, no list, and no more than an int64 holds (RFC 9112 section 6.3).
func ParseLength[T text](value T) (n int64, ok bool) {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c < '0' || c > '9' || n > (math.MaxInt64-int64(c-'0'))/10 {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, len(value) > 0
}

// CheckCoding admits a Transfer-Encoding of "chunked" and nothing else. A list
// that ends in it is what nobody here implements (RFC 9112 section 6.1); without
// it at the end, or with it twice, nobody knows where the body ends
// (section 6.3).
func CheckCoding(value string) Fault {
	if field.EqualFold(value, "chunked") {
		return NoFault
	}
	for more := true; more; {
		var coding string
		coding, value, more = strings.Cut(value, ",")
		coding = field.Trim(coding)
		if !field.ValidName(coding) || field.EqualFold(coding, "chunked") == more {
			return InvalidCoding
		}
	}
	return UnknownCoding
}

// Frames tells whether a field says where a message ends.
func Frames(name string) bool {
	switch len(name) {
	case len("Trailer"):
		return field.EqualFold(name, "Trailer")
	case len("Content-Length"):
		return field.EqualFold(name, "Content-Length")
	case len("Transfer-Encoding"):
		return field.EqualFold(name, "Transfer-Encoding")
	}
	return false
}

// MayTrail tells whether a field may stand in a trailer section: not if it says
// where the message ends, whom it is for or what becomes of the connection
// (RFC 9110 section 6.5.1).
func MayTrail(name string) bool {
	switch len(name) {
	case len("Host"):
		return !field.EqualFold(name, "Host")
	case len("Upgrade"): // and Trailer
		return !field.EqualFold(name, "Upgrade") && !Frames(name)
	case len("Connection"):
		return !field.EqualFold(name, "Connection")
	}
	return !Frames(name)
}
