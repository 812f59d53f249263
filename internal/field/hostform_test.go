package field_test

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestAHostHasOneFinalDotAtMost(t *testing.T) {
	for _, authority := range []string{"a..", "a..:80", "a...", ".."} {
		if got, ok := field.NormalHost("http", authority); ok {
			t.Errorf("NormalHost(%q) = %q, want a refusal", authority, got)
		}
	}
}

func TestOnlyIPv6AddressesStandInBrackets(t *testing.T) {
	for _, host := range []string{
		"[::]", "[::1]", "[1::]", "[2001:db8::1]", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]",
		"[::ffff:192.0.2.1]", "[1:2:3:4:5:6:192.0.2.1]",
	} {
		if got, ok := field.NormalHost("http", host); got != host || !ok {
			t.Errorf("NormalHost(%q) = %q, %v", host, got, ok)
		}
	}
	for _, host := range []string{
		"[:::]", "[....]", "[abcd]", "[1.2.3.4]", "[1:2]", "[1::2::3]", "[12345::]", "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7:8::]",
		"[1:2:3:4:5:6:7:]", "[:1:2:3:4:5:6:7]", "[::1.2.3]", "[::1.2.3.256]", "[::01.2.3.4]", "[1.2.3.4::]", "[:1::]", "[::1:]",
	} {
		if got, ok := field.NormalHost("http", host); ok {
			t.Errorf("NormalHost(%q) = %q, want a refusal", host, got)
		}
	}
}

// TestEscapesOfEscapesStayApart holds that what a path or a query says in
// escapes of its own is not taken for the escape.
func TestEscapesOfEscapesStayApart(t *testing.T) {
	for _, pair := range [][2]string{
		{"/a%2Fb", "/a%252Fb"}, {"/%00", "/%2500"}, {"/?a=%00", "/?a=%2500"}, {"/?a%01b=c", "/?a=b%01c"},
	} {
		if a, b := hasher.URL(shop, targetOf(pair[0])), hasher.URL(shop, targetOf(pair[1])); a == b {
			t.Errorf("%s and %s share a tag", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"/100%", "/100%25"}, {"/%zz", "/%25zz"}, {"/?a=%", "/?a=%25"}} {
		if a, b := hasher.URL(shop, targetOf(pair[0])), hasher.URL(shop, targetOf(pair[1])); a != b {
			t.Errorf("%s and %s share no tag", pair[0], pair[1])
		}
	}
}

func TestVersionsTellNamesApart(t *testing.T) {
	one := field.QueryRule{Mode: field.QueryInclude, Names: []string{"a,b"}}
	two := field.QueryRule{Mode: field.QueryInclude, Names: []string{"a", "b"}}
	if one.Version() == two.Version() {
		t.Errorf("%v and %v have one version", one, two)
	}
}
