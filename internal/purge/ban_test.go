package purge

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestBans(t *testing.T) {
	object := page("https://www.example.com:8443/shop/a%20b/c?utm=1&id=7", 404, "Content-Type: image/png", "X-A: one", "X-A: two", "X-Host: h")
	for ban, want := range map[string]bool{
		"req.url ~ ^/shop":                                      true,
		"obj.url ~ ^/shop":                                      true,
		"req.url == /shop/a%20b/c?utm=1&id=7":                   true,
		`req.url ~ "^/shop/a b/c"`:                              true, // any spelling
		"req.url ~ id=7$":                                       true,
		"req.url ~ ^/SHOP":                                      false,
		"req.url ~ (?i)^/SHOP":                                  true,
		"req.url !~ shop":                                       false,
		"req.url != /shop":                                      true,
		"req.http.host == www.example.com":                      true,
		"req.http.host == WWW.example.com:8443":                 true,
		"req.http.host ~ ^example":                              false,
		"obj.status == 404":                                     true,
		"obj.status != 404":                                     false,
		"obj.status ~ ^4":                                       true,
		"obj.status !~ ^4":                                      false,
		"obj.http.content-type ~ ^image/":                       true,
		"obj.http.content-type == image/png":                    true,
		"obj.http.x-a == two":                                   true,
		"obj.http.x-a != two":                                   false, // one line is
		"obj.http.x-a !~ three":                                 true,
		"obj.http.missing ~ .":                                  false,
		"obj.http.missing !~ .":                                 true,
		"obj.http.missing == \"\"":                              true,
		"obj.status == 404 && req.url ~ ^/shop":                 true,
		"obj.status == 200 && req.url ~ ^/shop":                 false,
		"req.url ~ ^/news && obj.http.x-host ~ h":               false,
		`req.http.host ~ "example" && obj.http.x-host == "h"  `: true,
	} {
		s, err := ParseBan(ban)
		if got := compiled(t, s, err).matches(object); got != want {
			t.Errorf("%s: %v", ban, got)
		}
	}
}

// TestBansKnowTheQueryRule holds that a ban of the URL that the cache key has
// finds the object, whatever else the client that asked for it first had added.
func TestBansKnowTheQueryRule(t *testing.T) {
	s, err := ParseBan("req.url ~ ^/shop$")
	if err != nil {
		t.Fatal(err)
	}
	object := page("https://www.example.com/shop?utm=1", 200)
	for mode, want := range map[field.QueryMode]bool{field.QueryAll: false, field.QueryIgnore: true, field.QueryInclude: true} {
		p, err := s.Predicate(modelHasher, "shop", field.QueryRule{Mode: mode})
		if err != nil || p.matches(object) != want {
			t.Errorf("rule %v: %v, %v", mode, p.matches(object), err)
		}
	}
}

func TestBansOfNothing(t *testing.T) {
	for _, bad := range []string{
		"", "  ", "req.url", "req.url ~", "req.url ~ a &&", "req.url ~ a || req.url ~ b", "req.url ~ a b", "req.url = a", "&& a b",
		"obj.age > 1d", "obj.ttl == 1", "req.http.cookie ~ x", "req.method == GET", "obj.http. ~ a", "obj.http.a(b ~ c",
		`req.url ~ "a`, "req.url ~ (", "req.url ~ (?!a)", `req.url ~ (a)\1`, "req.url ~ a{1001}", "obj.status == 4xx", "obj.status == 99",
		"req.url ~ (a{100}){11}", "req.url ~ " + strings.Repeat("x", maxRegexpBytes+1), "req.url ~ a\nb",
		"req.url == " + strings.Repeat("x", maxBanBytes), strings.Repeat("req.url ~ a && ", maxConditions) + "req.url ~ a",
	} {
		s, err := ParseBan(bad)
		if !errors.Is(err, ErrBadSelector) || s != (Selector{}) {
			t.Errorf("%.60q: %v, %v", bad, s, err)
		}
		if err != nil && len(err.Error()) > 350 {
			t.Errorf("%.60q: an error of %d bytes", bad, len(err.Error()))
		}
	}
}

// TestBansOfEverything holds that what names everything needs what purging
// everything needs, however it is written.
func TestBansOfEverything(t *testing.T) {
	for ban, want := range map[string]string{
		"req.url ~ .": "*", "req.url ~ .*": "*", "req.url ~ ^.*$": "*", "req.url ~ ^/": "*", "req.url ~ /": "*", "req.url ~ ^": "*",
		"req.http.host ~ .* && req.url ~ .* && obj.http.content-type ~ .*": "*", `req.url ~ ""`: "*", "obj.status ~ .+": "*",
		"req.http.host ~ .* && req.url ~ ^/a": "req.url ~ ^/a",
		"req.url ~ ^/$":                       "req.url ~ ^/$",
		"req.url ~ /$":                        "req.url ~ /$",
		"obj.http.a ~ .":                      "obj.http.a ~ .",
		"obj.http.a ~ ^$":                     "obj.http.a ~ ^$",
		"req.url !~ .*":                       "req.url !~ .*",
	} {
		s, err := ParseBan(ban)
		if err != nil || s.String() != want {
			t.Errorf("%s: %q, %v; want %q", ban, s, err, want)
		}
	}
}

// TestLargeExpressionsCostNothing holds that an expression that unfolds into
// very many instructions is refused for little work.
func TestLargeExpressionsCostNothing(t *testing.T) {
	text := "req.url ~ " + strings.Repeat("(a|b){900}", 90)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := ParseBan(text); !errors.Is(err, ErrBadSelector) {
			t.Fatalf("%v", err)
		}
	}
	// Of the work, memory is what can be measured on a busy machine: it is 65 KB now,
	// and each instruction would take 40 bytes.
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / 100; each > 1<<20 {
		t.Errorf("%d bytes each", each)
	}
}

// TestLongTextsSatisfy holds that what is too long to test is taken, by an
// expression and by its opposite.
func TestLongTextsSatisfy(t *testing.T) {
	object := page("https://www.example.com/", 200, "X-A: "+strings.Repeat("a", maxTested+1))
	for _, ban := range []string{"obj.http.x-a ~ b", "obj.http.x-a !~ a"} {
		s, err := ParseBan(ban)
		if !compiled(t, s, err).matches(object) {
			t.Errorf("%s spares it", ban)
		}
	}
}

func FuzzParseBan(f *testing.F) {
	for _, s := range []string{"req.url ~ ^/a", `obj.http.x == "a \" b" && obj.status != 200`, "req.http.host !~ (?i)x", `req.url ~ "\\.png$"`, `obj.http.a == "\`} {
		f.Add(s)
	}
	object := page("https://www.example.com/a?b", 200, "X: y")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseBan(text)
		if err != nil {
			if !errors.Is(err, ErrBadSelector) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if s.Kind == ByAll {
			return
		}
		again, err := ParseBan(s.Ban)
		if err != nil || again != s {
			t.Errorf("%q is %q, and that %q, %v", text, s.Ban, again.Ban, err)
		}
		compiled(t, s, nil).matches(object)
	})
}
