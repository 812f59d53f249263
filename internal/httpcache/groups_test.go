package httpcache

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestGroups(t *testing.T) {
	many := make([]string, MaxGroups+2)
	for i := range many {
		many[i] = fmt.Sprintf("%q", fmt.Sprint("g", i))
	}
	for _, tc := range []struct {
		lines   []string
		want    string // separated by |
		ignored int
	}{
		{[]string{`"scripts"`}, "scripts", 0},
		{[]string{`"scripts", "Scripts";x=1`, `"a b"`}, "scripts|Scripts|a b", 0},
		{[]string{`"a\"b\\c"`}, `a"b\c`, 0},
		{[]string{`scripts`}, "", 0},
		{[]string{`"a", 1`}, "", 0},
		{[]string{`("a" "b")`}, "", 0},
		{[]string{`"a", "b`}, "", 0},
		{[]string{``}, "", 0},
		{[]string{`"` + strings.Repeat("x", MaxGroupBytes+1) + `", "a"`}, "a", 1},
		{[]string{strings.Join(many, ", ")}, strings.ReplaceAll(strings.Join(many[:MaxGroups], "|"), `"`, ""), 2},
	} {
		var resp field.Fields
		for _, line := range tc.lines {
			resp = resp.Add("Cache-Groups", line)
		}
		got := CacheGroups(resp)
		if strings.Join(got.Names, "|") != tc.want || got.Ignored != tc.ignored {
			t.Errorf("%.80s: %+v", tc.lines, got)
		}
	}
}

func TestInvalidatedGroupsOfUnsafeMethodsOnly(t *testing.T) {
	resp := field.Fields{{Name: "Cache-Group-Invalidation", Value: `"a"`}}
	for method, want := range map[string]int{"GET": 0, "HEAD": 0, "OPTIONS": 0, "POST": 1, "DELETE": 1, "FANCY": 1} {
		if got := InvalidatedGroups(method, resp); len(got.Names) != want {
			t.Errorf("%s: %v", method, got.Names)
		}
	}
}

func TestGroupKeyCannotBeATag(t *testing.T) {
	key := GroupKey("https", "a.example", "g")
	for _, separators := range []string{"", ",", ", \t", "|"} {
		list := Tags([]TagHeader{{Name: "T", Separators: separators}}, field.Fields{{Name: "T", Value: key}})
		for _, tag := range list.Keys {
			if tag == key {
				t.Errorf("with %q a header names it", separators)
			}
		}
	}
	if key == GroupKey("http", "a.example", "g") || key == GroupKey("https", "a.example:8443", "g") {
		t.Error("other origins have the same")
	}
}

func FuzzGroups(f *testing.F) {
	f.Add(`"a", "b";p=?1`)
	f.Add(`("a")`)
	f.Add(`"\\"`)
	f.Fuzz(func(t *testing.T, value string) {
		g := CacheGroups(field.Fields{{Name: "Cache-Groups", Value: value}})
		for _, name := range g.Names {
			if len(name) > MaxGroupBytes || len(g.Names) > MaxGroups {
				t.Errorf("over a limit: %d groups, one of %d bytes", len(g.Names), len(name))
			}
		}
	})
}
