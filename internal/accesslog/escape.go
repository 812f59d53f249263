package accesslog

import (
	"unicode"
	"unicode/utf8"
)

// MaxValueBytes bounds one value before escaping: twice what browsers send as a
// User-Agent or Referer at their longest, and with the few values of a usual
// line well within what collectors take as one message.
const MaxValueBytes = 4096

const ellipsis = "..."

// cut shortens a value to MaxValueBytes, at the beginning of a character.
func cut(s string) (kept string, wasCut bool) {
	if len(s) <= MaxValueBytes {
		return s, false
	}
	n := MaxValueBytes
	for n > MaxValueBytes-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], true
}

const hex = "0123456789abcdef"

// appendEscaped appends a value of a format string as Apache writes it: quotes
// and backslashes behind a backslash, everything outside printable ASCII as
// \xhh. Outside quotes a space separates values, so there it is escaped too. An
// empty value is "-".
func appendEscaped(dst []byte, s string, quoted bool) []byte {
	if s == "" {
		return append(dst, '-')
	}
	s, wasCut := cut(s)
	must := &bareEscapes
	if quoted {
		must = &quotedEscapes
	}
	from := 0 // of what is copied as it is
	for i := 0; i < len(s); i++ {
		if !must[s[i]] {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c := s[i]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	if wasCut {
		dst = append(dst, ellipsis...)
	}
	return dst
}

// The bytes that are escaped, between quotes and outside of them.
var (
	quotedEscapes = escapes(true)
	bareEscapes   = escapes(false)
)

func escapes(quoted bool) (set [256]bool) {
	for c := range set {
		set[c] = c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == ' ' && !quoted
	}
	return set
}

// appendJSON appends a JSON string. Beyond what RFC 8259 section 7 demands, it
// escapes all that does not print: terminals obey some of it, and reorder or
// hide what stands around the rest. Nearly every value has nothing of the sort and
// is copied as it is.
func appendJSON(dst []byte, s string) []byte {
	if len(s) <= MaxValueBytes && printable(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	s, wasCut := cut(s)
	dst = appendJSONEscaped(append(dst, '"'), s)
	if wasCut {
		dst = append(dst, ellipsis...)
	}
	return append(dst, '"')
}

func appendJSONEscaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if ' ' <= c && c < 0x7f {
			if c == '"' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.IsPrint(r) { // U+FFFD, for what is not UTF-8, prints
			dst = utf8.AppendRune(dst, r)
		} else {
			dst = appendUnicode(dst, r)
		}
		i += n
	}
	return dst
}

// appendUnicode appends \uhhhh, twice for what needs a surrogate pair.
func appendUnicode(dst []byte, r rune) []byte {
	if r > 0xffff {
		r -= 0x10000
		dst = appendUnicode(dst, 0xd800+r>>10)
		r = 0xdc00 + r&0x3ff
	}
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
