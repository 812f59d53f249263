package httpcache

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestRevalidationFields(t *testing.T) {
	for _, c := range []struct {
		name   string
		stored []field.Fields
		want   []string
	}{
		{"nothing", nil, nil},
		{"no validator", []field.Fields{head("Date: " + t0Date)}, nil},
		{"tag", []field.Fields{head(`ETag: W/"a"`)}, []string{`If-None-Match: W/"a"`}},
		{"date", []field.Fields{head("Last-Modified: " + t0Date)}, []string{"If-Modified-Since: " + t0Date}},
		{"both", []field.Fields{head("Last-Modified: "+t0Date, `ETag: "a"`)}, []string{`If-None-Match: "a"`, "If-Modified-Since: " + t0Date}},
		{"variants", []field.Fields{head(`ETag: "a"`), head(`ETag: "b"`, "Last-Modified: "+t0Date), head()}, []string{`If-None-Match: "a", "b"`}},
		{"broken tag", []field.Fields{head(`ETag: "a`)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := RevalidationFields(c.stored...)
			wantFields(t, got, c.want...)
			if len(c.stored) == 1 && HasValidator(c.stored[0]) != (len(got) > 0) {
				t.Error("HasValidator says otherwise")
			}
		})
	}
}

func TestMatchesStored(t *testing.T) {
	const lm = "Last-Modified: " + t0Date
	for _, c := range []struct {
		name        string
		stored, not field.Fields
		want        bool
	}{
		{"same strong tag", head(`ETag: "a"`), head(`ETag: "a"`), true},
		{"another strong tag", head(`ETag: "a"`), head(`ETag: "b"`), false},
		{"strong against the same weak", head(`ETag: W/"a"`), head(`ETag: "a"`), true},
		{"strong against another weak", head(`ETag: W/"a"`), head(`ETag: "b"`), false},
		{"strong against none", head(lm), head(`ETag: "a"`, lm), false},
		{"a strong tag decides, not the date", head(`ETag: "a"`, lm), head(`ETag: "b"`, lm), false},
		{"weak against strong", head(`ETag: "a"`), head(`ETag: W/"a"`), true},
		{"weak against weak", head(`ETag: W/"a"`), head(`ETag: W/"a"`), true},
		{"another weak tag", head(`ETag: W/"a"`), head(`ETag: W/"b"`), false},
		{"weak against none", head("X: 1"), head(`ETag: W/"a"`), false},
		{"same date", head(lm), head(lm), true},
		{"same date in another format", head(lm), head("Last-Modified: Sun Nov  6 08:49:37 1994"), true},
		{"another date", head(lm), head("Last-Modified: Sun, 06 Nov 1994 08:49:38 GMT"), false},
		{"no date stored", head(`ETag: "a"`), head(lm), false},
		{"none in the 304", head(`ETag: "a"`, lm), head("Date: " + t0Date), true},
	} {
		if got := MatchesStored(c.stored, c.not); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// An origin that compresses on the way out weakens the tag of the compressed
// form, and answers a condition on it with the tag of the file.
func TestMergeKeepsWeakTag(t *testing.T) {
	wantFields(t, Merge(head(`ETag: W/"a"`, "Content-Encoding: gzip"), head(`ETag: "a"`, "A: 1")),
		`ETag: W/"a"`, "Content-Encoding: gzip", "A: 1")
}

func TestMerge(t *testing.T) {
	stored := head("Date: x", "Age: 5", "A: 1", "B: 1", "B: 2", "Content-Length: 5", "Content-Encoding: br",
		"Content-Range: x", "Content-Type: text/plain", "Cache-Control: max-age=1")
	got := Merge(stored, head("b: 3", "C: 4", "Content-Length: 0", "Content-Encoding: gzip", "Content-Range: y",
		"Content-Type: text/html", "Cache-Control: max-age=2", "Set-Cookie: a", "Set-Cookie: b",
		"Connection: close, X-Hop", "X-Hop: 1", "Keep-Alive: 1", "Transfer-Encoding: chunked", "Age: 7", "Date: y"))
	wantFields(t, got, "A: 1", "Content-Length: 5", "Content-Encoding: br", "Content-Range: x",
		"b: 3", "C: 4", "Content-Type: text/html", "Cache-Control: max-age=2", "Set-Cookie: a", "Set-Cookie: b", "Age: 7", "Date: y")
	wantFields(t, Merge(head("Date: x", "Age: 5", "A: 1"), head()), "A: 1")
}

func TestNotModifiedFields(t *testing.T) {
	got := NotModifiedFields(head("Date: x", "ETag: y", "Content-Location: /a", "Content-Length: 5", "Content-Type: text/plain",
		"Content-Encoding: br", "Content-Language: de", "Content-Disposition: x", "Accept-Ranges: bytes", "Vary: A",
		"Cache-Control: max-age=1", "CDN-Cache-Control: max-age=2", "Expires: x", "Last-Modified: y",
		"Content-Security-Policy: x", "Access-Control-Allow-Origin: *", "Surrogate-Key: k"))
	wantFields(t, got, "Date: x", "ETag: y", "Content-Location: /a", "Vary: A",
		"Cache-Control: max-age=1", "CDN-Cache-Control: max-age=2", "Expires: x", "Last-Modified: y",
		"Content-Security-Policy: x", "Access-Control-Allow-Origin: *", "Surrogate-Key: k")
}

func TestEndToEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []string
		want []string
	}{
		{"nothing to drop", []string{"A: 1", "B: 2"}, []string{"A: 1", "B: 2"}},
		{"named in Connection", []string{"Connection: close, x-a , X-B", "X-A: 1", "x-b: 2", "X-C: 3"}, []string{"X-C: 3"}},
		{"on several lines", []string{"X-A: 1", "Connection: close", "Connection: X-A"}, nil},
		{"usual", []string{"Connection: Keep-Alive", "Keep-Alive: 1", "Close: 1"}, []string{"Close: 1"}},
		{"upgrade", []string{"Connection: Upgrade", "Upgrade: websocket", "A: 1"}, []string{"A: 1"}},
		{"always", []string{"TE: trailers", "Trailer: X", "Transfer-Encoding: chunked", "Proxy-Authorization: x", "A: 1"}, []string{"A: 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantFields(t, EndToEnd(head(c.in...), nil), c.want...)
		})
	}
	wantFields(t, EndToEnd(head("B: 2"), head("A: 1")), "A: 1", "B: 2")
}
