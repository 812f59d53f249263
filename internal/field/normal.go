package field

import (
	"slices"
	"strings"
)

// Purging must find an object under every spelling of its URL, so tags are
// derived from a form that folds spellings together. Folding too much costs an
// extra purge; folding too little would leave content standing.

// NormalPath returns the one form that all spellings of a path have: without
// needless escapes, dot segments and repeated slashes.
func NormalPath(raw string) string { return normalPath(raw) }

// normalPath decodes every escape but those of "/", "%", 0 and 1, removes dot segments
// and merges repeated slashes.
func normalPath(raw string) string {
	if plainPath(raw) {
		return raw
	}
	var segments []string
	trailing := false
	for i, s := range strings.Split(raw, "/") {
		s = unescape(s)
		trailing = false
		switch s {
		case "", ".":
			trailing = i > 0
		case "..":
			if len(segments) > 0 {
				segments = segments[:len(segments)-1]
			}
			trailing = true
		default:
			segments = append(segments, s)
		}
	}
	if len(segments) == 0 {
		return "/"
	}
	path := "/" + strings.Join(segments, "/")
	if trailing {
		path += "/"
	}
	return path
}

// plainPath tells whether normalPath would return raw as it is.
func plainPath(raw string) bool {
	if raw == "" || raw[0] != '/' {
		return false
	}
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '%':
			return false
		case '/':
			if i+1 < len(raw) && (raw[i+1] == '/' || raw[i+1] == '.') {
				return false
			}
		}
	}
	return true
}

// unescape decodes percent-escapes. An escaped slash stays "%2F", because it
// does not separate segments, and so do the bytes that hashing separates by. A
// percent sign becomes "%25", escaped or stray, so that none of these can be
// mistaken for text.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := Unhex(s[i+1]), Unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				switch c := byte(hi<<4 | lo); c {
				case '/':
					b = append(b, "%2F"...)
				case 0:
					b = append(b, "%00"...)
				case 1:
					b = append(b, "%01"...)
				case '%':
					b = append(b, "%25"...)
				default:
					b = append(b, c)
				}
				i += 2
				continue
			}
		}
		if s[i] == '%' {
			b = append(b, "%25"...)
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// Unhex returns the value of a hexadecimal digit in either case; -1 for any other
// byte.
func Unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

type pair struct{ name, value string }

// queryPairs splits a raw query into decoded pairs sorted by name, stably.
func queryPairs(raw string) []pair {
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{unescapeQuery(name), unescapeQuery(value)})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return pairs
}

func unescapeQuery(s string) string {
	return unescape(strings.ReplaceAll(s, "+", " "))
}

// normalQueries returns the folded forms of a query: sorted, one value a name,
// "f" equal to "f=". Clients that rebuild the query through a map lose repeated
// names, and which of the values survives differs, so a query with repeats has
// two forms: the first of each, and the last of each. last equals first where
// nothing is repeated.
func normalQueries(raw string) (first, last string) {
	if raw == "" {
		return "", ""
	}
	pairs := queryPairs(raw)
	var f, l strings.Builder
	repeated := false
	for i := 0; i < len(pairs); {
		j := i + 1
		for j < len(pairs) && pairs[j].name == pairs[i].name {
			j++
		}
		repeated = repeated || j > i+1
		writePair(&f, pairs[i])
		writePair(&l, pairs[j-1])
		i = j
	}
	if !repeated {
		return f.String(), f.String()
	}
	return f.String(), l.String()
}

// writePair separates by bytes that an unescaped query cannot be confused by:
// a decoded "&" or "=" inside a value must not look like a separator.
func writePair(b *strings.Builder, p pair) {
	b.WriteByte(0)
	b.WriteString(p.name)
	b.WriteByte(1)
	b.WriteString(p.value)
}
