package purge

import (
	"regexp"
	"strings"
)

// maxGlobBytes bounds a glob, and with it what testing one value can cost. The
// values that people purge by are shorter than their URLs.
const maxGlobBytes = 1024

// glob is a compiled pattern: "*" stands for any bytes but "/", "?" for one
// character but "/", and a backslash takes the next one for itself. Matching is
// linear in the text: what has a "?" or ignores case is a regular expression,
// and for the rest each piece between two stars is searched for once.
type glob struct {
	exact  string // without wildcards
	parts  [][]string
	re     *regexp.Regexp
	weight int
}

func (g *glob) matches(text string) bool {
	switch {
	case g.re != nil:
		return g.re.MatchString(text)
	case g.parts == nil:
		return text == g.exact
	}
	// No wildcard crosses a slash, so both have the same number of them.
	last := len(g.parts) - 1
	for i, pieces := range g.parts {
		part, rest, more := strings.Cut(text, "/")
		if more != (i < last) || !matchPieces(pieces, part) {
			return false
		}
		text = rest
	}
	return true
}

// matchPieces tells whether text is the pieces in their order, with anything
// between them. Taking the first place where a piece fits leaves the most room
// for those after it.
func matchPieces(pieces []string, text string) bool {
	if len(pieces) == 1 {
		return text == pieces[0]
	}
	last := len(pieces) - 1
	if !strings.HasPrefix(text, pieces[0]) {
		return false
	}
	text = text[len(pieces[0]):]
	for _, piece := range pieces[1:last] {
		i := strings.Index(text, piece)
		if i < 0 {
			return false
		}
		text = text[i+len(piece):]
	}
	return strings.HasSuffix(text, pieces[last])
}

// compileGlob reads a glob. fold ignores the case of letters.
func compileGlob(text string, fold bool) (glob, error) {
	if len(text) > maxGlobBytes {
		return glob{}, badSelector("a pattern of %d bytes; the limit is %d", len(text), maxGlobBytes)
	}
	tokens, err := globTokens(text)
	if err != nil {
		return glob{}, err
	}
	single, wild := false, false
	for _, t := range tokens {
		single, wild = single || t.wild == '?', wild || t.wild != 0
	}
	if fold || single {
		return globAsRegexp(tokens, fold)
	}
	g := glob{weight: 1}
	if !wild {
		for _, t := range tokens {
			g.exact += t.literal
		}
		return g, nil
	}
	g.parts = globParts(tokens)
	return g, nil
}

// globToken is a wildcard or text without one.
type globToken struct {
	wild    byte // '*', '?', or 0
	literal string
}

func globTokens(text string) ([]globToken, error) {
	var tokens []globToken
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			tokens = append(tokens, globToken{literal: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '*', '?':
			flush()
			if n := len(tokens); c == '?' || n == 0 || tokens[n-1].wild != '*' {
				tokens = append(tokens, globToken{wild: c})
			}
		case '[':
			return nil, badSelector(`the pattern %q has a "[": sets of characters are not supported; write \[ for the character`, clip(text))
		case '\\':
			if i++; i == len(text) {
				return nil, badSelector("the pattern %q ends in a backslash", clip(text))
			}
			literal.WriteByte(text[i])
		default:
			literal.WriteByte(c)
		}
	}
	flush()
	return tokens, nil
}

// globParts splits tokens at slashes, and what is between them at stars.
func globParts(tokens []globToken) [][]string {
	parts := [][]string{{""}}
	for _, t := range tokens {
		if t.wild == '*' {
			last := &parts[len(parts)-1]
			*last = append(*last, "")
			continue
		}
		for i, s := range strings.Split(t.literal, "/") {
			if i > 0 {
				parts = append(parts, []string{""})
			}
			last := parts[len(parts)-1]
			last[len(last)-1] += s
		}
	}
	return parts
}

func globAsRegexp(tokens []globToken, fold bool) (glob, error) {
	var b strings.Builder
	b.WriteString("(?s")
	if fold {
		b.WriteByte('i')
	}
	b.WriteString(`)\A`)
	for _, t := range tokens {
		switch t.wild {
		case '*':
			b.WriteString("[^/]*")
		case '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(t.literal))
		}
	}
	b.WriteString(`\z`)
	re, weight, err := compileRegexp(b.String(), 4*maxGlobBytes)
	return glob{re: re, weight: weight}, err
}
