package compress

import (
	"strings"
	"testing"
)

var all = []Encoding{Zstd, Brotli, Gzip}

func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		accept  string
		offered []Encoding
		want    Encoding
	}{
		{"", all, Identity},
		{"gzip, deflate, br, zstd", all, Zstd}, // what browsers send
		{"gzip, deflate, br, zstd", []Encoding{Gzip, Zstd}, Gzip},
		{"gzip, deflate, br", all, Brotli},
		{"deflate", all, Identity},
		{"GZip", all, Gzip},
		{"x-gzip", all, Gzip},
		{"gzip;q=0.8, br;q=0.9", all, Brotli},
		{"gzip;q=0.9, br;q=0.8, zstd;q=0.85", all, Gzip},
		{"gzip;q=0.001", all, Gzip},
		{"gzip; Q = 0.5", all, Gzip},
		{"gzip;level=9;q=0.5,br;q=0.4", all, Gzip},
		{"gzip;q=0", all, Identity},
		{"gzip;q=0, gzip", all, Gzip},
		{"gzip, gzip;q=0", all, Gzip},
		{"*", all, Zstd},
		{"*", nil, Identity},
		{"*;q=0.5, zstd;q=0", all, Brotli},
		{"zstd;q=0.1, *;q=0.2", all, Brotli},
		{"*;q=0", all, Identity},
		{"*;q=0, gzip", all, Gzip},
		{"identity", all, Identity},
		{"identity, gzip", all, Gzip},
		{"identity;q=1, gzip;q=0.5", all, Identity},
		{"identity;q=0.5, gzip", all, Gzip},
		{"identity;q=0.5, *;q=0.1", all, Identity},
		{"identity;q=0", all, Identity},
		{"identity;q=0, gzip;q=0.1", all, Gzip},
		{"identity;q=0, *;q=0", all, Identity},
		{"gzip", nil, Identity},
		{"gzip", []Encoding{Identity, Gzip}, Gzip},
		{"gzip", []Encoding{200, Gzip}, Gzip},
		{" ,, gzip ,", all, Gzip},
		// A weight that cannot be read is none.
		{"gzip;q=", all, Identity},
		{"gzip;q=2", all, Identity},
		{"gzip;q=1.001", all, Identity},
		{"gzip;q=0.0001", all, Identity},
		{"gzip;q=-1", all, Identity},
		{"gzip;q=.5", all, Identity},
		{"gzip;q=0.x", all, Identity},
		{"gzip;q=1.", all, Gzip},
		{"gzip;q=1.000", all, Gzip},
		{"gzip br", all, Identity},
	} {
		if got := Choose(tc.accept, tc.offered); got != tc.want {
			t.Errorf("Choose(%q, %v) = %v, want %v", tc.accept, tc.offered, got, tc.want)
		}
	}
}

func TestChooseDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Choose("gzip, deflate;q=0.5, br, zstd;q=0.9", all) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestEncodingsHaveNames(t *testing.T) {
	for e := range encodings {
		if got, ok := Parse(e.String()); got != e || !ok {
			t.Errorf("%v is %v, %v", e, got, ok)
		}
	}
	for _, name := range []string{"", "deflate", "gzip ", "unknown", "compress"} {
		if e, ok := Parse(name); ok {
			t.Errorf("%q is %v", name, e)
		}
	}
}

// FuzzChoose holds that a client never gets a coding that it did not list as
// acceptable, and that saying a thing twice or in other letters changes nothing.
func FuzzChoose(f *testing.F) {
	for _, s := range []string{"", "gzip", "gzip;q=0.5, *;q=0", "identity;q=0,br;q=1.000", ";q=,,*", "zstd;q=0.3;q=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := Choose(accept, all)
		if got != Identity {
			lower := strings.ToLower(accept)
			named := strings.Contains(lower, got.String()) || strings.Contains(lower, "*")
			if !named {
				t.Errorf("%v for %q", got, accept)
			}
			if only := Choose(accept, []Encoding{got}); only != got {
				t.Errorf("%q: %v of all, %v of itself", accept, got, only)
			}
			if refused := Choose(accept+","+got.String()+";q=0", []Encoding{got}); refused != got && !strings.Contains(lower, "*") {
				t.Errorf("%q: a second weight lowers the first: %v", accept, refused)
			}
		}
		if twice := Choose(accept+","+accept, all); twice != got {
			t.Errorf("%q: %v, twice %v", accept, got, twice)
		}
		if upper := Choose(upperASCII(accept), all); upper != got {
			t.Errorf("%q: %v, in upper case %v", accept, got, upper)
		}
	})
}

func upperASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
