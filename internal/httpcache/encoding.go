package httpcache

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// Content codings that are told apart, as bits.
const (
	codingGzip = 1 << iota
	codingBrotli
	codingZstd
	codingAll = codingGzip | codingBrotli | codingZstd
)

var normalEncodings = [codingAll + 1]string{
	0:                         "",
	codingGzip:                "gzip",
	codingBrotli:              "br",
	codingBrotli | codingGzip: "br, gzip",
	codingZstd:                "zstd",
	codingZstd | codingGzip:   "zstd, gzip",
	codingZstd | codingBrotli: "zstd, br",
	codingAll:                 "zstd, br, gzip",
}

// NormalAcceptEncoding reduces Accept-Encoding to one of eight values, so that
// a response that varies by it has few variants: which of zstd, br and gzip are
// acceptable, in that order. Weights other than 0 are dropped: among codings
// that a client accepts at all, the cache and the origin choose (RFC 9110
// section 12.5.3). "" means none of them. It does not allocate.
func NormalAcceptEncoding(value string) string {
	accepted, named := 0, 0
	wildcard := false
	for value != "" {
		var member string
		member, value, _ = strings.Cut(value, ",")
		coding, params, _ := strings.Cut(member, ";")
		coding = field.Trim(coding)
		positive := positiveWeight(params)
		if coding == "*" {
			wildcard = positive
			continue
		}
		bit := codingBit(coding)
		named |= bit
		if positive {
			accepted |= bit
		}
	}
	if wildcard {
		accepted |= codingAll &^ named
	}
	return normalEncodings[accepted]
}

func codingBit(coding string) int {
	switch {
	case field.EqualFold(coding, "gzip"), field.EqualFold(coding, "x-gzip"):
		return codingGzip
	case field.EqualFold(coding, "br"):
		return codingBrotli
	case field.EqualFold(coding, "zstd"):
		return codingZstd
	}
	return 0
}

// positiveWeight tells whether the parameters give a weight above 0 (RFC 9110
// section 12.4.2); none means 1. One that cannot be read counts as 0, since the
// content without coding is always good.
func positiveWeight(params string) bool {
	for params != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		name, weight, _ := strings.Cut(field.Trim(param), "=")
		if field.EqualFold(field.Trim(name), "q") {
			return positiveDecimal(field.Trim(weight))
		}
	}
	return true
}

func positiveDecimal(s string) bool {
	positive := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '1' <= c && c <= '9':
			positive = true
		case c != '0' && (c != '.' || i != 1):
			return false
		}
	}
	return positive
}
