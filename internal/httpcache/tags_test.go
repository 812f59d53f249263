package httpcache

import (
	"slices"
	"strings"
	"testing"
)

func TestTags(t *testing.T) {
	long := strings.Repeat("k", DefaultMaxKey)
	preset := func(names ...string) []TagHeader {
		var headers []TagHeader
		for _, name := range names {
			h, ok := Preset(name)
			if !ok {
				t.Fatalf("no preset %s", name)
			}
			headers = append(headers, h)
		}
		return headers
	}
	for _, c := range []struct {
		name    string
		headers []TagHeader
		lines   []string
		keys    []string
		ignored int
	}{
		{"Surrogate-Key by default", nil, []string{"surrogate-key: a  b\tc", "Surrogate-Key: d", "xkey: e"}, []string{"a", "b", "c", "d"}, 0},
		{"no other by default", nil, []string{"xkey: e"}, nil, 0},
		{"none configured", []TagHeader{}, []string{"Surrogate-Key: a"}, nil, 0},
		{"commas are part of Fastly's keys", nil, []string{"Surrogate-Key: a, b"}, []string{"a,", "b"}, 0},
		{"empty", nil, []string{"Surrogate-Key:"}, nil, 0},
		{"the longest key", nil, []string{"Surrogate-Key: a " + long + " b"}, []string{"a", long, "b"}, 0},
		{"a key too long, and all after it", nil, []string{"Surrogate-Key: a " + long + "k b c", "Surrogate-Key: d"}, []string{"a"}, 4},
		{"not ASCII, alone", nil, []string{"Surrogate-Key: a \u00e4 b\x7f c"}, []string{"a", "c"}, 2},
		{"several headers", preset("Surrogate-Key", "xkey"), []string{"xkey: a,b c", "Surrogate-Key: d"}, []string{"d", "a", "b", "c"}, 0},
		{"a limit of one header is none of the next", preset("Surrogate-Key", "xkey"), []string{"Surrogate-Key: " + long + "k", "xkey: a"}, []string{"a"}, 1},
		{"Cache-Tag", preset("cache-tag"), []string{"Cache-Tag: A, b ,,c", "Cache-Tag: D"}, []string{"a", "b", "c", "d"}, 0},
		{"a space inside a key", preset("Cache-Tag"), []string{"Cache-Tag: a b, c"}, []string{"c"}, 1},
		{"Edge-Cache-Tag", preset("Edge-Cache-Tag"), []string{"Edge-Cache-Tag: A,b", "Edge-Cache-Tag: c"}, []string{"A", "b"}, 0},
		{"x-amz-meta-cache-tag", preset("x-amz-meta-cache-tag"), []string{"x-amz-meta-cache-tag: " + strings.Repeat("a,", 52)}, slices.Repeat([]string{"a"}, 50), 2},
		{"own separators", []TagHeader{{Name: "T", Separators: ";|"}}, []string{"T: a;b| c"}, []string{"a", "b", "c"}, 0},
		{"no separators", []TagHeader{{Name: "T"}}, []string{"T: a b"}, []string{"a", "b"}, 0},
		{"own limits", []TagHeader{{Name: "T", MaxKey: 2, MaxValue: 6}}, []string{"T: aa b cc d"}, []string{"aa", "b"}, 2},
		{"own limit over several lines", []TagHeader{{Name: "T", MaxValue: 4}}, []string{"T: aa", "T: b", "T: cc"}, []string{"aa", "b"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Tags(c.headers, head(c.lines...))
			if !slices.Equal(got.Keys, c.keys) || got.Ignored != c.ignored {
				t.Errorf("%.60q and %d ignored, want %.60q and %d", got.Keys, got.Ignored, c.keys, c.ignored)
			}
		})
	}
}

func TestTagValueLimit(t *testing.T) {
	// 2,730 keys of five bytes and a space reach to byte 16,379; the next ends
	// at the limit exactly.
	exact := strings.Repeat("abcde ", DefaultMaxValue/6)
	got := Tags(nil, head("Surrogate-Key: "+exact+"1234 x y"))
	if len(got.Keys) != DefaultMaxValue/6+1 || got.Ignored != 2 {
		t.Errorf("%d keys, %d ignored", len(got.Keys), got.Ignored)
	}
}

func TestHidesField(t *testing.T) {
	headers := []TagHeader{{Name: "xkey"}, {Name: "Cache-Tag", Keep: true}}
	for name, want := range map[string]bool{
		"XKEY": true, "cache-tag": false, "Surrogate-Key": false, "Surrogate-Control": true, "ETag": false,
	} {
		if got := HidesField(headers, name); got != want {
			t.Errorf("%s is hidden: %v", name, got)
		}
	}
	if !HidesField(nil, "surrogate-key") {
		t.Error("Surrogate-Key is not hidden by default")
	}
}

func TestPresets(t *testing.T) {
	for _, name := range []string{
		"Surrogate-Key", "Cache-Tag", "Edge-Cache-Tag", "xkey", "X-Cache-Tags", "Cache-Tags", "X-Magento-Tags",
		"Netlify-Cache-Tag", "CDN-Tag", "Ykey", "x-amz-meta-cache-tag", "X-TAG",
	} {
		if h, ok := Preset(strings.ToUpper(name)); !ok || h.Name != name || h.Keep {
			t.Errorf("%s: %+v, %v", name, h, ok)
		}
	}
	if _, ok := Preset("ETag"); ok {
		t.Error("ETag is a tag header")
	}
}
