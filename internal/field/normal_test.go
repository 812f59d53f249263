package field

import (
	"strings"
	"testing"
)

func TestNormalPath(t *testing.T) {
	for raw, want := range map[string]string{
		"":                    "/",
		"/":                   "/",
		"//":                  "/",
		"/a":                  "/a",
		"/a/":                 "/a/",
		"/a//":                "/a/",
		"//a///b":             "/a/b",
		"/a/./b":              "/a/b",
		"/./a":                "/a",
		"/a/.":                "/a/",
		"/a/..":               "/",
		"/a/../b":             "/b",
		"/../../b":            "/b",
		"/a/b/../../..":       "/",
		"/a/b/..":             "/a/",
		"/a//../b":            "/b",
		"/...":                "/...",
		"/.a/..b/c.":          "/.a/..b/c.",
		"/%2e%2E/b":           "/b",
		"/a/%2e":              "/a/",
		"/%61%62":             "/ab",
		"/%c3%A9":             "/é",
		"/a%2fb":              "/a%2Fb",
		"/a%2Fb":              "/a%2Fb",
		"/a%2F..%2Fb":         "/a%2F..%2Fb", // one segment: its dots are not dot segments
		"/%00":                "/%00",
		"/%7E~":               "/~~",
		"/a%20b+c":            "/a b+c", // a plus is a plus in a path
		"/A/a":                "/A/a",
		"/a;b=1,c":            "/a;b=1,c",
		"a":                   "/a",
		"*":                   "/*",
		"/" + "%2e%2e/%2e%2e": "/",
	} {
		if got := normalPath(raw); got != want {
			t.Errorf("normalPath(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestNormalQueries(t *testing.T) {
	same := func(a, b string) {
		t.Helper()
		first, last := normalQueries(a)
		if other, _ := normalQueries(b); first != other && last != other {
			t.Errorf("%q is not found under %q", a, b)
		}
	}
	same("b=2&a=1", "a=1&b=2")
	same("f", "f=")
	same("f=", "f")
	same("a=x+y", "a=x%20y")
	same("a=%c3%a9", "a=%C3%A9")
	same("%61=b", "a=b")
	same("a=b=c", "a=b%3Dc")
	same("a=1&a=2&a=3", "a=1")         // the first kept
	same("a=1&a=2&a=3", "a=3")         // the last kept
	same("a=1&a=2", "a=1&a=2")         // untouched
	same("b=3&a=1&b=4", "a=1&b=3&b=4") // sorted, repeats in order
	same("a&&b&", "a=&b=")
	same("", "")
	same("&", "")

	for _, pair := range [][2]string{
		{"a=1", "a=2"}, {"a=1", "b=1"}, {"a=1", ""}, {"a=1", "a=1&b=2"}, {"a=b%26c", "a=b&c"}, {"a%3Db=c", "a=b%3Dc"},
		{"a=%2B", "a=+"}, {"=", ""}, {"=a", "a"}, {"a=B", "a=b"}, {"a=1&a=2&a=3", "a=2"},
	} {
		first, last := normalQueries(pair[0])
		if other, _ := normalQueries(pair[1]); first == other || last == other {
			t.Errorf("%q and %q are one resource", pair[0], pair[1])
		}
	}
}

// FuzzNormalPath holds that a normal path is one: normalised again it stays
// as it is, and it has no dot segments, doubled slashes or escaped letters.
func FuzzNormalPath(f *testing.F) {
	for _, s := range []string{"/", "/a/../b//c/.", "/%2e%2E/x", "/a%2Fb", "/%zz%2", "a", "/a/%2e%2e/%2f/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		normal := normalPath(raw)
		if again := normalPath(normal); again != normal {
			t.Errorf("%q is %q, and that %q", raw, normal, again)
		}
		if !strings.HasPrefix(normal, "/") || strings.Contains(normal, "//") {
			t.Errorf("%q is %q", raw, normal)
		}
		for segment := range segments(normal) {
			if segment == "." || segment == ".." || segment == "" {
				t.Errorf("%q is %q", raw, normal)
			}
		}
	})
}

// FuzzNormalQueries holds that the forms of a query do not depend on how its
// spaces are written, and that the last of each equals the first where no name
// repeats.
func FuzzNormalQueries(f *testing.F) {
	for _, s := range []string{"", "a=1&a=2", "&&=", "f", "%3d=%26", "a+b=c%20d", "%zz=%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		first, last := normalQueries(raw)
		if f, l := normalQueries(strings.ReplaceAll(raw, "+", "%20")); f != first || l != last {
			t.Errorf("%q: pluses are not spaces", raw)
		}
		if f, l := normalQueries("&" + raw + "&"); f != first || l != last {
			t.Errorf("%q: empty parts count", raw)
		}
		names := map[string]bool{}
		pairs := queryPairs(raw)
		for _, p := range pairs {
			names[p.name] = true
		}
		if len(names) == len(pairs) && first != last {
			t.Errorf("%q has two forms", raw)
		}
	})
}
