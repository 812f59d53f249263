package field_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// FuzzIPLiteral holds that what stands in brackets is a host just if the
// standard library takes it for an IPv6 address without a zone.
func FuzzIPLiteral(f *testing.F) {
	for _, s := range []string{
		"::", "::1", ":::", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1::2::3",
		"::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:7:192.0.2.1", "::1.2.3", "::01.2.3.4", "::1.2.3.256", "1.2.3.4",
		"12345::", "g::", "1:", ":1", "1:2", "", "fe80::1%lo", "1.2.3.4::", "::1:", "ABCD::", "00001::", "0000::",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		addr, err := netip.ParseAddr(s)
		want := err == nil && addr.Is6() && addr.Zone() == ""
		host, ok := field.NormalHost("http", "["+s+"]")
		if strings.ContainsAny(s, "[]") {
			want = false
		}
		if ok != want {
			t.Errorf("%q: %v, the standard library says %v", s, ok, want)
		}
		if ok && host != "["+strings.ToLower(s)+"]" {
			t.Errorf("%q becomes %q", s, host)
		}
	})
}
