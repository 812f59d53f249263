package compress

import "github.com/rescind-edge/rescind/internal/field"

// Encoding is a content coding (RFC 9110 section 8.4.1).
type Encoding uint8

// The codings that can be made. Identity is none.
const (
	Identity Encoding = iota
	Gzip              // RFC 1952
	Brotli            // RFC 7932
	Zstd              // RFC 8878, within the window that RFC 9659 allows

	encodings // how many there are
)

// String returns the coding's registered name.
func (e Encoding) String() string {
	switch e {
	case Identity:
		return "identity"
	case Gzip:
		return "gzip"
	case Brotli:
		return "br"
	case Zstd:
		return "zstd"
	}
	return "unknown"
}

// Parse returns the coding of a name, in any case; ok is false where it is none
// of ours.
func Parse(name string) (e Encoding, ok bool) {
	for e := range encodings {
		if field.EqualFold(name, e.String()) {
			return e, true
		}
	}
	if field.EqualFold(name, "x-gzip") { // RFC 9110 section 8.4.1.3
		return Gzip, true
	}
	return Identity, false
}
