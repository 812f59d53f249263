package live

import "strings"

// pattern is a text in which each star stands for any bytes, or none. There is
// no other special byte: a question mark begins a query.
type pattern struct {
	parts []string // around the stars; at least one
}

func newPattern(s string) pattern { return pattern{strings.Split(s, "*")} }

// match takes time in proportion to the text for each part: the first place
// where a part fits is as good as any later one, so nothing is tried twice.
func (p pattern) match(s string) bool {
	first, rest := p.parts[0], p.parts[1:]
	if len(rest) == 0 {
		return s == first
	}
	s, ok := strings.CutPrefix(s, first)
	if !ok {
		return false
	}
	for _, part := range rest[:len(rest)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, rest[len(rest)-1])
}
