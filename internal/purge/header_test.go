package purge

import (
	"errors"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// compiled returns what a selector tests, for a service that caches by query.
func compiled(t testing.TB, s Selector, err error) *Predicate {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Predicate(modelHasher, "shop", field.QueryRule{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// page returns a response of the service, tagged as one that is stored.
func page(url string, status int, lines ...string) *Response {
	target, err := ParseTarget(url)
	if err != nil {
		panic(err)
	}
	var fields field.Fields
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		fields = fields.Add(name, field.Trim(value))
	}
	return NewResponse(modelHasher.AppendTags(nil, "shop", target), url, status, fields)
}

func TestHeaderSelectors(t *testing.T) {
	object := page("https://www.example.com/shop/1", 200,
		"Content-Type: text/html", "X-Product: shoes/red", "X-Product: Hats", "X-TAG: a, b ,c", "Surrogate-Key: k1 k2", "X-Empty:")
	for _, c := range []struct {
		name, value, separator string
		want                   bool
	}{
		{"X-Product", "shoes/*", "", true},
		{"x-product", "shoes/red", "", true}, // no protocol keeps the case of names
		{"X-Product", "Shoes/*", "", false},
		{"X-Product", "(?i)Shoes/RED", "", true},
		{"(?i)X-Product", "SHOES/red", "", true},
		{"X-Product", "Hats", "", true}, // each line by itself
		{"X-Product", "*", "", true},
		{"X-Product", "shoes", "", false},
		{"X-Prod*", "shoes/*", "", true},
		{"X-Prod??", "shoes/*", "", false},
		{"X-Produc?", "shoes/*", "", true},
		{"*", "shoes/red", "", true},
		{"X-TAG", "b", "", false},
		{"X-TAG", "b", ",", true},
		{"X-TAG", "d", ",", false},
		{"Surrogate-Key", "k2", " ", true},
		{"X-Empty", "", "", true},
		{"X-Other", "", "", false},
		{"X-Other", "*", "", false},
	} {
		s, err := Header(c.name, c.value, c.separator)
		if got := compiled(t, s, err).matches(object); got != c.want {
			t.Errorf("%s: %v, want %v", s, got, c.want)
		}
	}
}

func TestHeadersThatNameNothing(t *testing.T) {
	for _, c := range [][3]string{
		{"", "a", ""}, {"(?i)", "a", ""}, {"X Y", "a", ""}, {"X:Y", "a", ""}, {"*", "", ""}, {"*", "*", ""}, {"**", "(?i)*", ""},
		{"X", "a\nb", ""}, {"X", "[ab]", ""}, {"X", `a\`, ""}, {"X", "a", "\r\n"}, {"X", "a", "123456789"},
		{"X", strings.Repeat("x", maxGlobBytes+1), ""}, {"X-[a]", "v", ""},
	} {
		if s, err := Header(c[0], c[1], c[2]); !errors.Is(err, ErrBadSelector) {
			t.Errorf("%q: %v, %v", c, s, err)
		}
	}
}

// TestHeadersUnderAPath holds that a bounded selector takes only what is there,
// whatever the spelling.
func TestHeadersUnderAPath(t *testing.T) {
	scoped := func(scope Selector, err error) *Predicate {
		if err != nil {
			t.Fatal(err)
		}
		s, err := Header("X-A", "1", "")
		if err != nil {
			t.Fatal(err)
		}
		s, err = s.Under(scope)
		return compiled(t, s, err)
	}
	for what, c := range map[string]struct {
		p    *Predicate
		want string // of the three objects
	}{
		"path":         {scoped(Path("/shop")), "110"},
		"path of host": {scoped(Path("www.example.com/shop/")), "100"},
		"url":          {scoped(URL("www.example.com/shop/a?x=1")), "100"},
		"host":         {scoped(Host("www.example.com")), "101"},
		"root":         {scoped(Path("/")), "111"},
		"all":          {scoped(All(), nil), "111"},
	} {
		got := ""
		for _, url := range []string{"https://www.example.com/%73hop//a?x=1", "http://other.example/shop/b", "https://www.example.com/shopping"} {
			if c.p.matches(page(url, 200, "X-A: 1")) {
				got += "1"
			} else {
				got += "0"
			}
			if c.p.matches(page(url, 200, "X-A: 2")) {
				t.Errorf("%s: another value of %s", what, url)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
	key, _ := Key("k")
	header, _ := Header("X-A", "1", "")
	if _, err := header.Under(key); !errors.Is(err, ErrBadSelector) {
		t.Errorf("under a key: %v", err)
	}
	everything, _ := ParseBan("req.url ~ .*")
	scope, _ := Path("/shop")
	if s, err := everything.Under(scope); s != scope || err != nil {
		t.Errorf("a ban of everything under a path: %v, %v", s, err)
	}
	if _, err := key.Under(All()); !errors.Is(err, ErrBadSelector) {
		t.Errorf("a key under all: %v", err)
	}
}

func TestPredicateSelectorsSayWhatTheyName(t *testing.T) {
	path, _ := Path("/shop")
	for want, make := range map[string]func() (Selector, error){
		"X-A: b*":               func() (Selector, error) { return Header("X-A", "b*", "") },
		"X-A":                   func() (Selector, error) { return Header("X-A", "", "") },
		"X-A: (?i)b":            func() (Selector, error) { return Header("(?i)X-A", "b", "") },
		"X-A: b separated by ,": func() (Selector, error) { return Header("X-A", "b", ",") },
		"X-A: b under path /shop": func() (Selector, error) {
			s, _ := Header("X-A", "b", "")
			return s.Under(path)
		},
		`req.url ~ ^/a && obj.status == 404`: func() (Selector, error) { return ParseBan(`req.url ~ "^/a"   && OBJ.status == 404`) },
		`obj.http.X-A != "b \"c\\d"`: func() (Selector, error) {
			return Ban(Condition{Part: PartHeader, Field: "X-A", Op: Unequal, Text: `b "c\d`})
		},
		`req.url ~ \.png$ under path /shop`: func() (Selector, error) { s, _ := ParseBan(`req.url ~ \.png$`); return s.Under(path) },
	} {
		s, err := make()
		if err != nil || s.String() != want || s.Kind.HasTag() {
			t.Errorf("%q, %v; want %q", s, err, want)
		}
	}
	if ByHeader.String() != "header" || ByBan.String() != "ban" {
		t.Error("the kinds have no names")
	}
}
