package field_test

import (
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestNormalHost(t *testing.T) {
	for _, c := range []struct{ scheme, authority, want string }{
		{"http", "Example.COM", "example.com"},
		{"http", "example.com.", "example.com"},
		{"http", "example.com.:80", "example.com"},
		{"http", "example.com:80", "example.com"},
		{"http", "example.com:443", "example.com:443"},
		{"https", "example.com:443", "example.com"},
		{"https", "example.com:80", "example.com:80"},
		{"", "example.com:80", "example.com"},
		{"", "example.com:443", "example.com"},
		{"", "example.com:8080", "example.com:8080"},
		{"http", "example.com:", "example.com"},
		{"http", "[2001:DB8::1]:80", "[2001:db8::1]"},
		{"http", "[::1]", "[::1]"},
		{"https", "[::1]:8443", "[::1]:8443"},
		{"http", "127.0.0.1:8080", "127.0.0.1:8080"},
		{"http", "under_score.example", "under_score.example"},
		{"http", strings.Repeat("a", 253), strings.Repeat("a", 253)},
	} {
		got, ok := field.NormalHost(c.scheme, c.authority)
		if got != c.want || !ok {
			t.Errorf("NormalHost(%q, %q) = %q, %v; want %q", c.scheme, c.authority, got, ok, c.want)
		}
	}
}

func TestNormalHostRefuses(t *testing.T) {
	for _, authority := range []string{
		"", ".", ":80", "[]", "[:]", "[::1", "::1", "[::1]x", "[::1]x:80", "[fe80::1%25eth0]", "[v1.a]",
		".example.com", "a..b", "a b", "a/b", "a?b", "a#b", "a@b", "user:pw@host", "a%41", "a\x00b", "a\r\nb", "münchen.de",
		"a:b", "a:-1", "a:+1", "a:123456", "a:8 0", "a:80:80", strings.Repeat("a", 254),
	} {
		if got, ok := field.NormalHost("http", authority); ok {
			t.Errorf("NormalHost(%q) = %q, want a refusal", authority, got)
		}
	}
}

func TestPortsAreCutOff(t *testing.T) {
	for _, c := range []struct{ authority, name, port string }{
		{"a:80", "a", "80"}, {"a", "a", ""}, {"a:", "a", ""}, {"", "", ""},
		{"[::1]", "[::1]", ""}, {"[::1]:80", "[::1]", "80"}, {"[::1]:", "[::1]", ""},
	} {
		if name, port := field.SplitPort(c.authority); name != c.name || port != c.port {
			t.Errorf("SplitPort(%q) = %q, %q", c.authority, name, port)
		}
		if got := field.Hostname(c.authority); got != c.name {
			t.Errorf("Hostname(%q) = %q", c.authority, got)
		}
	}
}

func TestTargetsAreRepeatedAsTheyWereSent(t *testing.T) {
	for _, c := range []struct {
		t         field.Target
		raw, full string
	}{
		{field.Target{Scheme: "http", Host: "h", Path: "/a%2F", Query: "x=%20", HasQuery: true}, "/a%2F?x=%20", "http://h/a%2F?x=%20"},
		{field.Target{Host: "h:1", Path: "/", HasQuery: true}, "/?", "//h:1/?"},
		{field.Target{Scheme: "https", Host: "h", Path: "*"}, "*", "https://h*"},
	} {
		if c.t.Raw() != c.raw || c.t.String() != c.full {
			t.Errorf("got %q and %q, want %q and %q", c.t.Raw(), c.t.String(), c.raw, c.full)
		}
	}
	if path, query, has := field.SplitRaw("/a?b?c"); path != "/a" || query != "b?c" || !has {
		t.Errorf("split at another than the first question mark: %q, %q", path, query)
	}
	if _, _, has := field.SplitRaw("/a"); has {
		t.Error("a query out of nothing")
	}
}

// FuzzNormalHost holds that the form is one: applying it again changes
// nothing, and it names a host that can stand in a URL.
func FuzzNormalHost(f *testing.F) {
	for _, s := range []string{"Example.com:80", "[::1]:443", "a.", "a:", ":", "[", "a@b", "127.0.0.1:00080"} {
		f.Add("http", s)
		f.Add("", s)
	}
	f.Fuzz(func(t *testing.T, scheme, authority string) {
		host, ok := field.NormalHost(scheme, authority)
		if !ok {
			return
		}
		if again, ok := field.NormalHost(scheme, host); again != host || !ok {
			t.Errorf("%q is %q, and that %q, %v", authority, host, again, ok)
		}
		if host == "" || strings.ContainsAny(host, "/?#@% \\") || strings.ToLower(host) != host {
			t.Errorf("%q is %q", authority, host)
		}
	})
}
