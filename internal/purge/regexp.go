package purge

import (
	"regexp"
	"regexp/syntax"
)

// Bounds of a regular expression. Matching takes time in proportion to the
// text times the program's instructions, so the program is what is bounded; the
// bytes bound the work of finding out how large it is. Expressions that people
// write by hand take twenty to fifty instructions.
const (
	maxRegexpBytes  = 1024
	maxInstructions = 1000
)

// maxTested is the longest text that a regular expression is tested on: as
// long as the longest header of surrogate keys that counts. A condition on a
// longer one is taken to hold, which purges too much.
const maxTested = 16 << 10

// compileRegexp compiles an expression in the syntax of RE2, which has neither
// back references nor assertions around a place, and returns how many
// instructions it takes.
func compileRegexp(text string, maxBytes int) (re *regexp.Regexp, weight int, err error) {
	if len(text) > maxBytes {
		return nil, 0, badSelector("a regular expression of %d bytes; the limit is %d", len(text), maxBytes)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, 0, badSelector("the regular expression %q: %v (syntax of RE2)", clip(text), err)
	}
	if programSize(parsed) > maxInstructions { // before it is unfolded
		return nil, 0, badSelector("the regular expression %q takes more than %d instructions", clip(text), maxInstructions)
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, 0, badSelector("the regular expression %q: %v", clip(text), err)
	}
	if n := len(prog.Inst); n > maxInstructions {
		return nil, 0, badSelector("the regular expression %q takes %d instructions; the limit is %d", clip(text), n, maxInstructions)
	}
	re, err = regexp.Compile(text)
	if err != nil {
		return nil, 0, badSelector("the regular expression %q: %v", clip(text), err)
	}
	return re, len(prog.Inst), nil
}

// programSize estimates, from below, the instructions of an expression whose
// repetitions are not unfolded yet; it stops counting past maxInstructions.
func programSize(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = 1
	}
	for _, sub := range re.Sub {
		n = min(n+programSize(sub), maxInstructions+1)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max)
	}
	return min(n, maxInstructions+1)
}
