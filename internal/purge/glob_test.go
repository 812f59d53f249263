package purge

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestGlobs(t *testing.T) {
	for _, c := range []struct {
		glob, yes, no string // alternatives, separated by blanks
	}{
		{"shoes/*", "shoes/ shoes/a shoes/*", "shoes shoes/a/b Shoes/a xshoes/a shoes/a/"},
		{"*", "a", "a/b /"},
		{"*/*", "/ a/b a/", "a a/b/c"},
		{"a*b*c", "abc aXbYc abbcc", "ab acb abcd xabc a/bc"},
		{"*ab", "ab xab abab", "aba b"},
		{"ab*ab", "abab abXab", "ab aba"},
		{"a?c", "abc aéc", "ac abbc a/c"},
		{"?*", "a ab", "a/b"},
		{`a\*b`, "a*b", "ab axb"},
		{`\[x\]`, "[x]", "x"},
		{`a\\b`, `a\b`, "ab"},
		{"a.c", "a.c", "abc"},
	} {
		g, err := compileGlob(c.glob, false)
		if err != nil {
			t.Fatalf("%q: %v", c.glob, err)
		}
		for _, text := range strings.Fields(c.yes) {
			if !g.matches(text) {
				t.Errorf("%q does not match %q", c.glob, text)
			}
		}
		for _, text := range strings.Fields(c.no) {
			if g.matches(text) {
				t.Errorf("%q matches %q", c.glob, text)
			}
		}
		if g.matches("") {
			if c.glob != "*" {
				t.Errorf("%q matches nothing at all", c.glob)
			}
		}
	}
	for _, bad := range []string{"[a-z]", `a\`, strings.Repeat("x", maxGlobBytes+1), strings.Repeat("?", maxGlobBytes)} {
		if _, err := compileGlob(bad, false); !errors.Is(err, ErrBadSelector) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// TestBothWaysOfMatchingGlobsAgree holds that searching for pieces finds what
// the regular expression of the same glob finds.
func TestBothWaysOfMatchingGlobsAgree(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	random := func(alphabet string, most int) string {
		b := make([]byte, rng.IntN(most))
		for i := range b {
			b[i] = alphabet[rng.IntN(len(alphabet))]
		}
		return string(b)
	}
	for range 20_000 {
		pattern, text := random("ab/**", 8), random("ab/", 10)
		g, err := compileGlob(pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		tokens, _ := globTokens(pattern)
		re, err := globAsRegexp(tokens, false)
		if err != nil {
			t.Fatal(err)
		}
		if g.matches(text) != re.matches(text) {
			t.Fatalf("seed %d: %q on %q: %v, as a regular expression %v", seed, pattern, text, g.matches(text), re.matches(text))
		}
	}
}

// TestGlobsTakeLinearTime holds that the pattern that ruins a matcher that
// tries again costs little more than reading the text.
func TestGlobsTakeLinearTime(t *testing.T) {
	text := strings.Repeat("a", 4<<10)
	for _, fold := range []bool{false, true} {
		g, err := compileGlob(strings.Repeat("a*", 200)+"b", fold)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if g.matches(text) {
			t.Error("matches")
		}
		if took := time.Since(began); took > time.Minute { // the other kind would not end at all
			t.Errorf("fold %v: %v", fold, took)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("shoes/*", "shoes/a", true)
	f.Add(`a\*?b**/`, "a*xb/", false)
	f.Fuzz(func(t *testing.T, pattern, text string, fold bool) {
		g, err := compileGlob(pattern, fold)
		if err != nil {
			if !errors.Is(err, ErrBadSelector) {
				t.Error(err)
			}
			return
		}
		if g.re == nil && !strings.Contains(pattern, "*") && g.matches(text) != (text == g.exact) {
			t.Errorf("%q on %q", pattern, text)
		}
		_ = g.matches(regexp.QuoteMeta(text))
	})
}
