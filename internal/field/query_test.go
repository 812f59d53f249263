package field_test

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestQueryRules(t *testing.T) {
	sorted := field.QueryRule{Mode: field.QuerySorted}
	include := field.QueryRule{Mode: field.QueryInclude, Names: []string{"id", "p*"}}
	exclude := field.QueryRule{Mode: field.QueryExclude, Names: []string{"utm_*", "fbclid"}}
	for _, c := range []struct {
		rule     field.QueryRule
		in, want string
	}{
		{field.QueryRule{}, "/?b=2&a=1&&", "/?b=2&a=1&&"},
		{field.QueryRule{}, "/?", "/?"},
		{field.QueryRule{Mode: field.QueryIgnore}, "/?a=1", "/"},
		{field.QueryRule{Mode: field.QueryIgnore}, "/?", "/"},
		{sorted, "/?b=2&a=1", "/?a=1&b=2"},
		{sorted, "/?b=2&a=2&b=1&a=1", "/?a=2&a=1&b=2&b=1"}, // repeats keep their order
		{sorted, "/?&a&&b=&", "/?a&b="},
		{sorted, "/?", "/"},
		{sorted, "/", "/"},
		{sorted, "/?a=%20+", "/?a=%20+"}, // nothing is decoded
		{include, "/?x=1&page=2&id=3&ID=4&pid=5", "/?id=3&page=2&pid=5"},
		{include, "/?x=1", "/"},
		{include, "/?%69d=1", "/?%69d=1"}, // the name counts, not its spelling
		{exclude, "/?utm_source=a&b=1&fbclid=x&utm_=", "/?b=1"},
		{exclude, "/?utm%5Fsource=a&b", "/?b"},
		{exclude, "/?utm=a", "/?utm=a"},
		{field.QueryRule{Mode: field.QueryInclude}, "/?a=1", "/"},
		{field.QueryRule{Mode: field.QueryExclude, Names: []string{"*"}}, "/?a=1&=2", "/"},
	} {
		if got := c.rule.Apply(targetOf(c.in)).Raw(); got != c.want {
			t.Errorf("%s under %v: got %s, want %s", c.in, c.rule, got, c.want)
		}
	}
}

func targetOf(raw string) field.Target {
	t := field.Target{Scheme: "http", Host: "h"}
	t.Path, t.Query, t.HasQuery = field.SplitRaw(raw)
	return t
}

func TestRulesHaveVersions(t *testing.T) {
	rules := []field.QueryRule{
		{}, {Mode: field.QuerySorted}, {Mode: field.QueryIgnore}, {Mode: field.QueryInclude}, {Mode: field.QueryExclude},
		{Mode: field.QueryInclude, Names: []string{"a"}}, {Mode: field.QueryExclude, Names: []string{"a"}},
		{Mode: field.QueryInclude, Names: []string{"a", "b"}}, {Mode: field.QueryInclude, Names: []string{"ab"}},
	}
	seen := map[string]bool{}
	for _, r := range rules {
		if v := r.Version(); seen[v] {
			t.Errorf("%+v has the version of another rule: %s", r, v)
		} else {
			seen[v] = true
		}
	}
}

// FuzzQueryRule holds that a rule applied again changes nothing, and that it
// never adds to what was sent.
func FuzzQueryRule(f *testing.F) {
	for _, s := range []string{"", "a", "b=1&a=2&a=1", "&&", "=", "%61=1&a=2", "utm_x=1&id=2", "+=%20", "a=b=c&a;b"} {
		for mode := range 5 {
			f.Add(byte(mode), "id", s)
		}
	}
	f.Fuzz(func(t *testing.T, mode byte, name, query string) {
		rule := field.QueryRule{Mode: field.QueryMode(mode % 5), Names: []string{name, "utm_*"}}
		once := rule.Apply(field.Target{Path: "/", Query: query, HasQuery: true})
		if twice := rule.Apply(once); twice != once {
			t.Errorf("%q: once %q, twice %q", query, once.Raw(), twice.Raw())
		}
		if len(once.Query) > len(query) || once.Query != "" && !once.HasQuery {
			t.Errorf("%q became %q", query, once.Raw())
		}
	})
}
