package compress

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// fields makes fields of names and values in turn.
func fields(list ...string) (f field.Fields) {
	for i := 0; i < len(list); i += 2 {
		f = f.Add(list[i], list[i+1])
	}
	return f
}

func TestEligible(t *testing.T) {
	html := fields("Content-Type", "text/html; charset=utf-8")
	with := func(list ...string) field.Fields { return append(html.Clone(), fields(list...)...) }
	for _, tc := range []struct {
		name   string
		status int
		resp   field.Fields
		length int64
		rule   Rule
		want   bool
	}{
		{"page", 200, html, 5000, Rule{}, true},
		{"error page", 404, html, 5000, Rule{}, true},
		{"unknown length", 200, html, -1, Rule{}, true},
		{"at the least length", 200, html, DefaultMinSize, Rule{}, true},
		{"short", 200, html, DefaultMinSize - 1, Rule{}, false},
		{"short of its own rule", 200, html, 1<<20 - 1, Rule{MinSize: 1 << 20}, false},
		{"long enough for its own rule", 200, html, 1, Rule{MinSize: 1}, true},
		{"empty", 200, html, 0, Rule{MinSize: 1}, false},
		{"interim", 103, html, -1, Rule{}, false},
		{"no content", 204, html, -1, Rule{}, false},
		{"reset content", 205, html, -1, Rule{}, false},
		{"partial", 206, html, 5000, Rule{}, false},
		{"not modified", 304, html, -1, Rule{}, false},
		{"range", 200, with("Content-Range", "bytes 0-1/2"), 5000, Rule{}, false},
		{"encoded", 200, with("content-encoding", "br"), 5000, Rule{}, false},
		{"encoded in an unknown way", 200, with("Content-Encoding", "aes128gcm"), 5000, Rule{}, false},
		{"encoded on the second line", 200, with("Content-Encoding", "identity", "Content-Encoding", "gzip"), 5000, Rule{}, false},
		{"identity", 200, with("Content-Encoding", "Identity"), 5000, Rule{}, true},
		{"no-transform", 200, with("Cache-Control", "public", "Cache-Control", "max-age=1 ,No-Transform"), 5000, Rule{}, false},
		{"no-transform with a value", 200, with("Cache-Control", "no-transform=1"), 5000, Rule{}, false},
		{"another directive", 200, with("Cache-Control", "no-transformation"), 5000, Rule{}, true},
		{"ETag", 200, with("ETag", `"x"`), 5000, Rule{}, true},
		{"no type", 200, nil, 5000, Rule{}, false},
		{"empty list", 200, html, 5000, Rule{Types: []string{}}, false},
	} {
		if got := Eligible(tc.status, tc.resp, tc.length, tc.rule); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestTypes(t *testing.T) {
	for _, tc := range []struct {
		mediaType string
		types     []string
		want      bool
	}{
		{"text/html", nil, true},
		{"TEXT/CSS", nil, true},
		{"application/json", nil, true},
		{"application/ld+json ; profile=x", nil, true},
		{"image/svg+xml", nil, true},
		{"application/wasm", nil, true},
		{"text/event-stream", nil, false},
		{"text/event-stream", []string{"text/event-stream"}, true},
		{"image/png", nil, false},
		{"font/woff2", nil, false},
		{"application/octet-stream", nil, false},
		{"text", nil, false},
		{"text/", nil, false},
		{"+json", nil, false},
		{"textual/html", nil, false},
		{"text/html", []string{"application/json"}, false},
		{"Application/JSON", []string{"application/json"}, true},
		{"application/jsonx", []string{"application/json"}, false},
		{"text/html", []string{"Text/*"}, true},
		{"text/html", []string{"*"}, false},
		{"a/b+XML", []string{"+xml"}, true},
	} {
		resp := fields("Content-Type", tc.mediaType)
		if got := Eligible(200, resp, -1, Rule{Types: tc.types}); got != tc.want {
			t.Errorf("%q of %q: %v", tc.mediaType, tc.types, got)
		}
	}
}
