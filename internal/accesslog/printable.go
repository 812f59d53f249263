package accesslog

// A word holds eight bytes, each in a lane of its own.
const (
	each = 0x0101010101010101
	high = 0x80 * each
)

// printable tells whether no byte of s needs escaping in a JSON string. It looks at
// eight at a time; at the end of s at some of them twice.
func printable(s string) bool {
	n := len(s)
	if n < 8 {
		return printableShort(s)
	}
	for i := 0; i < n-8; i += 8 {
		if special(word(s[i:])) {
			return false
		}
	}
	return !special(word(s[n-8:]))
}

func printableShort(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// word returns the first eight bytes of s. Compilers make one load of it.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// special tells whether one of eight bytes is a control byte, a quote, a
// backslash, or not ASCII. A lane whose byte is x has its high bit set
//
//   - in x itself, if it is not ASCII;
//   - in x + 1, if it is DEL;
//   - in x - 0x20, if it is a control byte;
//   - in (x ^ c) - 1, if it is c.
//
// Carries and borrows leave a lane only where it is special itself, so they
// cannot make a word special that is not, nor hide one that is.
func special(w uint64) bool {
	quote, backslash := w^('"'*each), w^('\\'*each)
	return (w|(w+each)|(w-' '*each)|(quote-each)|(backslash-each))&high != 0
}
