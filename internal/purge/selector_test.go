package purge

import (
	"errors"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestParseTarget(t *testing.T) {
	for raw, want := range map[string]field.Target{
		"https://Example.com/a?b=1":      {Scheme: "https", Host: "example.com", Path: "/a", Query: "b=1", HasQuery: true},
		"HTTP://example.com:80":          {Scheme: "http", Host: "example.com", Path: "/"},
		"https://example.com:80/":        {Scheme: "https", Host: "example.com:80", Path: "/"},
		"//example.com/a":                {Host: "example.com", Path: "/a"},
		"example.com":                    {Host: "example.com", Path: "/"},
		"example.com.:8080/a%2Fb":        {Host: "example.com:8080", Path: "/a%2Fb"},
		"example.com?q":                  {Host: "example.com", Path: "/", Query: "q", HasQuery: true},
		"example.com/?":                  {Host: "example.com", Path: "/", HasQuery: true},
		"example.com/a#b?c":              {Host: "example.com", Path: "/a"},
		"example.com#://x":               {Host: "example.com", Path: "/"},
		"example.com/http://x":           {Host: "example.com", Path: "/http://x"},
		"example.com?u=http://x":         {Host: "example.com", Path: "/", Query: "u=http://x", HasQuery: true},
		"http://example.com//double//s/": {Scheme: "http", Host: "example.com", Path: "//double//s/"},
		"http://[2001:DB8::1]:8080/":     {Scheme: "http", Host: "[2001:db8::1]:8080", Path: "/"},
		"localhost/with space":           {Host: "localhost", Path: "/with space"},
		"localhost/höher":                {Host: "localhost", Path: "/höher"},
	} {
		got, err := ParseTarget(raw)
		if err != nil || got != want {
			t.Errorf("ParseTarget(%q) = %+v, %v; want %+v", raw, got, err, want)
		}
	}
}

func TestSelectorsThatNameNothing(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	selectors := map[string]func(string) (Selector, error){"url": URL, "path": Path, "host": Host, "key": Key}
	for kind, raws := range map[string][]string{
		"url": {
			"", "/", "/path", "///", "http://", "http:///a", "https://?q", "#", "?q", "ftp://example.com/", "://example.com/",
			"http://user:pw@example.com/", "http://exa mple.com/", "exa%6dple.com/", "http://a..b/", "http://a:port/", "*",
			"example.com/\n", "example.com/\x7f", "example.com/a?b\x00", "example.com/" + long, long,
		},
		"path": {"", "//", "///a", "/a\tb", "*", "ftp://example.com/a", "/" + long, "exa mple/a"},
		"host": {"", "/", "*", "*.example.com", "example.com/", "http://example.com", "a b", "[::1", "a..b", "a,b"},
		"key":  {"", "a\nb", "a\x00", "\x7f", strings.Repeat("k", MaxKeyBytes+1)},
	} {
		for _, raw := range raws {
			s, err := selectors[kind](raw)
			if !errors.Is(err, ErrBadSelector) || s != (Selector{}) {
				t.Errorf("%s %.40q: %+v, %v; want ErrBadSelector", kind, raw, s, err)
			}
			if err != nil && len(err.Error()) > 250 {
				t.Errorf("%s %.40q: an error of %d bytes", kind, raw, len(err.Error()))
			}
		}
	}
}

func TestSelectorsSayWhatTheyName(t *testing.T) {
	for _, c := range []struct {
		make       func(string) (Selector, error)
		kind       Kind
		name, want string
	}{
		{URL, ByURL, "HTTPS://Example.com", "https://example.com/"},
		{URL, ByURL, "example.com/a?b#c", "//example.com/a?b"},
		{Key, ByKey, "product 1/x?é", "product 1/x?é"},
		{Key, ByKey, strings.Repeat("k", MaxKeyBytes), strings.Repeat("k", MaxKeyBytes)},
		{Path, ByPath, "/a/b?q#f", "/a/b"},
		{Path, ByPath, "https://example.com/a?q", "example.com/a"},
		{Path, ByPath, "//example.com:8080/a", "example.com:8080/a"},
		{Path, ByPath, "example.com", "example.com/"},
		{Host, ByHost, "Example.com.:8080", "example.com"},
		{Host, ByHost, "[::1]:80", "[::1]"},
		{func(string) (Selector, error) { return All(), nil }, ByAll, "", "*"},
	} {
		s, err := c.make(c.name)
		if err != nil || s.Kind != c.kind || s.String() != c.want {
			t.Errorf("%v %.40q: %v %q, %v; want %q", c.kind, c.name, s.Kind, s, err, c.want)
		}
	}
	for kind, want := range map[Kind]string{ByURL: "url", ByKey: "key", ByPath: "path", ByHost: "host", ByAll: "all", 0: "unknown"} {
		if kind.String() != want {
			t.Errorf("kind %d is %q", kind, kind)
		}
	}
}

// FuzzParseTarget holds that what was read can be written and read again, and
// that nothing in it could end a request line.
func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"", "https://Example.com:443/a?b#c", "//h", "h:80", "[::1]:1/x", "http://h/?", "://", "h/%2f//?a=1&a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		target, err := ParseTarget(raw)
		if err != nil {
			if !errors.Is(err, ErrBadSelector) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		if again, err := ParseTarget(target.String()); again != target || err != nil {
			t.Errorf("%q is %+v, and %q is %+v, %v", raw, target, target.String(), again, err)
		}
		if !strings.HasPrefix(target.Path, "/") || strings.ContainsAny(target.Raw(), "\r\n\x00#") || target.Host == "" {
			t.Errorf("%q is %+v", raw, target)
		}
	})
}
