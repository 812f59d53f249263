package httpcache

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestVariant(t *testing.T) {
	for _, c := range []struct {
		name       string
		vary       string
		req, other field.Fields
		want       bool
	}{
		{"no Vary", "", head("A: 1"), head("A: 2"), true},
		{"empty members", " , ,", head("A: 1"), head("A: 2"), true},
		{"same", "A", head("A: 1"), head("a: 1"), true},
		{"another value", "A", head("A: 1"), head("A: 2"), false},
		{"a longer value", "A", head("A: 1"), head("A: 12"), false},
		{"a shorter value", "A", head("A: 12"), head("A: 1"), false},
		{"other fields do not matter", "A", head("A: 1", "B: 1"), head("B: 2", "A: 1"), true},
		{"all must match", "A, B", head("A: 1", "B: 1"), head("A: 1", "B: 2"), false},
		{"absent differs from present", "A", head(), head("A: 1"), false},
		{"present differs from absent", "A", head("A: 1"), head(), false},
		{"absent differs from empty", "A", head(), head("A:"), false},
		{"empty differs from absent", "A", head("A:"), head(), false},
		{"empty is empty", "A", head("A:"), head("A:"), true},
		{"both absent", "A, B", head("B: 1"), head("B: 1"), true},
		{"lines are combined", "A", head("A: 1, 2"), head("A: 1", "A: 2"), true},
		{"lines are combined in their order", "A", head("A: 1, 2"), head("A: 2", "A: 1"), false},
		{"a line more", "A", head("A: 1"), head("A: 1", "A: 2"), false},
		{"the same line twice", "A", head("A: 1"), head("A: 1", "A: 1"), false},
		{"white space around commas", "A", head("A: 1,2"), head("A: 1 ,\t2"), true},
		{"runs of white space", "A", head("A: 1 \t 2"), head("A: 1 2"), true},
		{"white space between words", "A", head("A: 1 2"), head("A: 12"), false},
		{"white space in quotes", "A", head(`A: "1  2"`), head(`A: "1 2"`), false},
		{"comma in quotes", "A", head(`A: "1 ,2"`), head(`A: "1,2"`), false},
		{"escaped quote in quotes", "A", head(`A: "\" ,"  , b`), head(`A: "\" ,",b`), true},
		{"case of values", "A", head("A: x"), head("A: X"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, ok := Variant(c.vary, c.req)
			if !ok {
				t.Fatal("no key")
			}
			if !VariantMatches(key, c.req) {
				t.Error("the request itself does not match")
			}
			if got := VariantMatches(key, c.other); got != c.want {
				t.Errorf("the other request matches: %v", got)
			}
			if same := SameVariant(key, c.other) == key; same != c.want {
				t.Errorf("the other request has the same key: %v", same)
			}
		})
	}
}

func TestVariantRefused(t *testing.T) {
	var many []string
	for i := range maxVaryNames + 1 {
		many = append(many, fmt.Sprintf("a%d", i))
	}
	for _, vary := range []string{"*", "*, *", ", *", "*, Foo", "Foo, *", "a b", "a;b", strings.Join(many, ",")} {
		if _, ok := Variant(vary, head("A: 1", "*: 1")); ok {
			t.Errorf("Vary: %.20s has a key", vary)
		}
	}
	if _, ok := Variant(strings.Join(many[1:], ","), head()); !ok {
		t.Error("the most names have no key")
	}
}

func TestVariantKeyOrder(t *testing.T) {
	req := head("A: 1", "B: 2")
	a, _ := Variant("A, b", req)
	b, _ := Variant("B, a, A", req)
	if a != b {
		t.Error("the order and case of Vary make a difference")
	}
}

// TestVariantModel compares matching with the dumb way: keys that are equal.
func TestVariantModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	request := func() field.Fields {
		var f field.Fields
		for range r.IntN(4) {
			value := make([]byte, r.IntN(5))
			for i := range value {
				value[i] = `ab ,"\`[r.IntN(6)]
			}
			f = f.Add(string("ABC"[r.IntN(3)]), field.Trim(string(value)))
		}
		return f
	}
	for range 50_000 {
		one, other := request(), request()
		key, _ := Variant("a, b", one)
		if !VariantMatches(key, one) {
			t.Fatalf("%v does not match itself", one)
		}
		want, _ := Variant("a, b", other)
		got := VariantMatches(key, other)
		if key == want && !got {
			t.Fatalf("%v and %v have one key and do not match", one, other)
		}
		// A line that is literally what others combine to matches them, even
		// where a quote runs from one of their lines to the next.
		if key != want && got && !strings.Contains(fmt.Sprint(one, other), `"`) {
			t.Fatalf("%v and %v match and have different keys", one, other)
		}
	}
}

func TestNormalAcceptEncoding(t *testing.T) {
	for value, want := range map[string]string{
		"":                                     "",
		"identity":                             "",
		"gzip":                                 "gzip",
		"x-gzip":                               "gzip",
		"GZIP":                                 "gzip",
		"deflate":                              "",
		"gzip, deflate, br, zstd":              "zstd, br, gzip",
		"br;q=0.1, gzip;q=1.0":                 "br, gzip",
		"gzip;q=0":                             "",
		"gzip; q=0.000, br":                    "br",
		"gzip;q=0.001":                         "gzip",
		"*":                                    "zstd, br, gzip",
		"*;q=0":                                "",
		"gzip;q=0, *":                          "zstd, br",
		"*, br;q=0":                            "zstd, gzip",
		"gzip;q=x":                             "",
		"gzip;q=":                              "",
		"gzip;q=-1":                            "",
		"gzip ;a=b ;Q=1":                       "gzip",
		",, gzip ,":                            "gzip",
		"gzip;q=1, gzip;q=0":                   "gzip",
		"zstd,br":                              "zstd, br",
		"gzippo, brr":                          "",
		"gzip;q=1.0, identity; q=0.5, *;q=0":   "gzip",
		"compress;q=0.5, gzip;q=1.0, br;q=0.0": "gzip",
	} {
		if got := NormalAcceptEncoding(value); got != want {
			t.Errorf("%q is normalised to %q, want %q", value, got, want)
		}
		if got := NormalAcceptEncoding(want); got != want {
			t.Errorf("%q is normalised again, to %q", want, got)
		}
	}
}
