package httpcache

import (
	"strconv"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// Fwd says why a request went to the origin (RFC 9211 section 2.2).
type Fwd uint8

const (
	FwdNone     Fwd = iota // it did not
	FwdBypass              // the cache is configured not to handle it
	FwdMethod              // its method
	FwdURIMiss             // nothing is stored for its URL
	FwdVaryMiss            // what is stored for its URL is for other requests
	FwdMiss                // nothing stored could be used
	FwdRequest             // it asks for it, as by Cache-Control
	FwdStale               // what is stored is stale
	FwdPartial             // what is stored is not all that it asks for
)

var fwdNames = [...]string{"", "bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"}

// String returns the value that Cache-Status has for it.
func (f Fwd) String() string {
	if int(f) >= len(fwdNames) {
		return fwdNames[FwdMiss]
	}
	return fwdNames[f]
}

// CacheStatus is what one cache says of how it handled a request (RFC 9211).
type CacheStatus struct {
	Hit       bool // answered without the origin; Fwd and what belongs to it are then left out
	Fwd       Fwd
	FwdStatus int // the origin's status code; 0: left out
	Stored    bool
	Collapsed bool
	TTL       time.Duration // what is left of freshness, negative once stale; only with HasTTL
	HasTTL    bool
	Key       string // "": left out
	Detail    string // "": left out
}

// AppendCacheStatus appends a member of Cache-Status: what the cache called
// node, in printable ASCII, says. Values that a structured field cannot hold
// are left out.
func AppendCacheStatus(dst []byte, node string, s CacheStatus) []byte {
	dst = appendTokenOrString(dst, node)
	if s.Hit {
		dst = append(dst, "; hit"...)
	} else {
		dst = appendForward(dst, &s)
	}
	if s.HasTTL {
		dst = append(dst, "; ttl="...)
		dst = strconv.AppendInt(dst, floorSeconds(s.TTL), 10)
	}
	if s.Key != "" && isASCII(s.Key) {
		dst = append(dst, "; key="...)
		dst = appendString(dst, s.Key)
	}
	if s.Detail != "" && isASCII(s.Detail) {
		dst = append(dst, "; detail="...)
		dst = appendTokenOrString(dst, s.Detail)
	}
	return dst
}

func appendForward(dst []byte, s *CacheStatus) []byte {
	if s.Fwd == FwdNone {
		return dst
	}
	dst = append(dst, "; fwd="...)
	dst = append(dst, s.Fwd.String()...)
	if s.FwdStatus != 0 {
		dst = append(dst, "; fwd-status="...)
		dst = strconv.AppendInt(dst, int64(s.FwdStatus), 10)
	}
	if s.Stored {
		dst = append(dst, "; stored"...)
	}
	if s.Collapsed {
		dst = append(dst, "; collapsed"...)
	}
	return dst
}

// floorSeconds rounds down, so that what is stale is never 0.
func floorSeconds(d time.Duration) int64 {
	n := int64(d / time.Second)
	if d < 0 && d%time.Second != 0 {
		n--
	}
	return n
}

// appendTokenOrString writes s as a Token where it is one, and else as a String
// (RFC 8941 sections 3.3.3 and 3.3.4). Bytes that neither can hold become "_".
func appendTokenOrString(dst []byte, s string) []byte {
	if isToken(s) {
		return append(dst, s...)
	}
	return appendString(dst, s)
}

func isToken(s string) bool {
	if s == "" || s[0] != '*' && (s[0]|0x20 < 'a' || s[0]|0x20 > 'z') {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !field.IsTokenByte(s[i]) && s[i] != ':' && s[i] != '/' {
			return false
		}
	}
	return true
}

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"', c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20 || c > 0x7e:
			dst = append(dst, '_')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
