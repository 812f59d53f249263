package compress

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// weight is a quality value in thousandths (RFC 9110 section 12.4.2).
type weight int16

const unlisted weight = -1

// Choose returns the coding for a client that sent the given Accept-Encoding,
// all its lines joined: of those offered, the one it gives the greatest weight,
// the first offered among equals (RFC 9110 section 12.5.3).
//
// Identity is the answer where a client wants it more than any coding, and
// where nothing that is offered is acceptable, even to a client that refuses
// Identity as well: content that it has to cope with is better than none, and
// section 12.5.3 leaves us the choice. A client that sent nothing gets
// Identity, because it may be one that cannot decode. It does not allocate.
func Choose(acceptEncoding string, offered []Encoding) Encoding {
	weights := parseAccept(acceptEncoding)
	best, most := Identity, weight(0)
	for _, e := range offered {
		if e != Identity && e < encodings && weights[e] > most {
			best, most = e, weights[e]
		}
	}
	// Not listed, Identity is acceptable but asked for by nobody.
	if weights[Identity] > most {
		return Identity
	}
	return best
}

// parseAccept returns the weight of each coding: that of its name, the greatest
// if it is listed more than once, else that of "*".
func parseAccept(value string) (weights [encodings]weight) {
	for e := range weights {
		weights[e] = unlisted
	}
	wildcard := unlisted
	for value != "" {
		var member string
		member, value, _ = strings.Cut(value, ",")
		name, params, _ := strings.Cut(member, ";")
		name = field.Trim(name)
		if name == "*" {
			wildcard = max(wildcard, parseWeight(params))
		} else if e, ok := Parse(name); ok {
			weights[e] = max(weights[e], parseWeight(params))
		}
	}
	for e := range weights {
		// "*" allows Identity, but says nothing for it that would outweigh a
		// coding: clients that send it want to be compressed for.
		if weights[e] == unlisted && Encoding(e) != Identity {
			weights[e] = wildcard
		}
	}
	return weights
}

// parseWeight reads the parameters of a member; without a weight it is 1. One
// that cannot be read counts as 0, since content without coding is always good.
func parseWeight(params string) weight {
	for params != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(field.Trim(param), "=")
		if field.EqualFold(field.Trim(name), "q") {
			return parseQuality(field.Trim(value))
		}
	}
	return 1000
}

// parseQuality reads a number from 0 to 1 with at most three decimals.
func parseQuality(s string) weight {
	whole, decimals, _ := strings.Cut(s, ".")
	if whole != "0" && whole != "1" || len(decimals) > 3 {
		return 0
	}
	w := weight(whole[0]-'0') * 1000
	for i, unit := 0, weight(100); i < len(decimals); i, unit = i+1, unit/10 {
		if decimals[i] < '0' || decimals[i] > '9' {
			return 0
		}
		w += weight(decimals[i]-'0') * unit
	}
	if w > 1000 {
		return 0
	}
	return w
}
