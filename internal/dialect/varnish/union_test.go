package varnish

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestUnion(t *testing.T) {
	for _, tc := range []struct {
		expression string
		tags       string // separated by spaces; "*": all; "-": it is none
	}{
		{`(^|,)(a|b)(,|$)`, "a b"},
		{`(a|b)(,.+)?$`, "a b"},
		{`(a|b)($|\,)`, "a b"},
		{`((^|,)cat_p_1(,|$))|((^|,)cat_p_2(,|$))`, "cat_p_1 cat_p_2"},
		{`((^|,)cat_p(,|$))`, "cat_p"},
		{`(^|,)(x\.1\-y|\/a\/\?b)(,|$)`, "x.1-y /a/?b"},
		{`^a$`, "a"},
		{`^(a|bc|bd|be)$`, "a bc bd be"},
		{`(^|,)a b(,|$)`, "a_b"},
		{`(^|,)ü(,|$)`, "ü"},
		{`.*`, "*"}, {`^.*$`, "*"}, {``, "*"}, {`^`, "*"}, {`.+`, "*"},
		{`a`, "-"}, {`^a`, "-"}, {`a.*`, "-"}, {`^a.*$`, "-"}, {`^$`, "-"}, {`a[0-9]+$`, "-"}, {`(?i)abc$`, "-"}, {`[^,]+$`, "-"},
		{`(`, "-"}, {`a{1000}{1000}$`, "-"}, {`(a|b|c|d)(a|b|c|d)(a|b|c|d)(a|b|c|d)(a|b|c|d)(a|b|c|d)(a|b|c|d)(a|b|c|d)$`, "-"},
		{`,$`, "-"}, {`\Ba$`, "-"}, {"(^|,)a\x00(,|$)", "-"},
	} {
		u, ok := parseUnion(tc.expression)
		got := strings.Join(u.tags, " ")
		if strings.Contains(tc.tags, "_b") {
			got = strings.ReplaceAll(got, " ", "_")
		}
		switch {
		case !ok:
			got = "-"
		case u.all:
			got = "*"
		}
		if got != tc.tags {
			t.Errorf("%s: %q, want %q", tc.expression, got, tc.tags)
		}
	}
}

// TestUnionOfManyTags is as much as a field of Magento's holds.
func TestUnionOfManyTags(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString("((^|,)cat_p_" + strings.Repeat("1", i%30+1) + string(rune('a'+i%26)) + "(,|$))")
	}
	u, ok := parseUnion(b.String())
	if !ok || len(u.tags) < 200 {
		t.Errorf("%d tags, %v", len(u.tags), ok)
	}
}

// FuzzUnion holds that a purge of tags takes no less than the expression that it
// stands for: in every list that meets it is one of the tags, or one that ends
// so, where the expression says nothing of what is before it.
func FuzzUnion(f *testing.F) {
	for _, seed := range []string{`(^|,)(a|b)(,|$)`, `(a|b)(,.+)?$`, `((^|,)a(,|$))|((^|,)b(,|$))`, `.*`, `a[b-d]?$`, `^/a/.*`, `a,$`} {
		f.Add(seed, "x,a,b")
	}
	f.Fuzz(func(t *testing.T, expression, list string) {
		if len(expression) > 1000 || strings.ContainsAny(list, "\x00\x01\x02\n") {
			return
		}
		readPath(expression)
		matchesAll(expression)
		u, ok := parseUnion(expression)
		if !ok || u.all || !regexp.MustCompile(expression).MatchString(list) {
			return
		}
		for member := range strings.SplitSeq(list, ",") {
			member = strings.TrimSpace(member)
			if slices.ContainsFunc(u.tags, func(tag string) bool { return strings.HasSuffix(member, tag) }) {
				return
			}
		}
		t.Errorf("%q meets %q, and has none of %q", list, expression, u.tags)
	})
}

func TestReadPath(t *testing.T) {
	for expression, want := range map[string]plainPath{
		`^/a$`: {kind: pathExact, text: "/a"}, `^/a\.html\?x=1$`: {kind: pathExact, text: "/a.html?x=1"},
		`^/a/.*`: {kind: pathUnder, text: "/a/"}, `^/a/`: {kind: pathUnder, text: "/a/"}, `^/a/.*$`: {kind: pathUnder, text: "/a/"},
		`^/`:  {kind: pathUnder, text: "/"},
		`^/a`: {}, `/a/`: {}, `^/a.html$`: {}, `^a/`: {}, `^/(a|b)$`: {}, `(`: {}, `^/a\?x/`: {},
	} {
		got := readPath(expression)
		if got.kind != want.kind || got.text != want.text {
			t.Errorf("%s: %+v", expression, got)
		}
	}
}
