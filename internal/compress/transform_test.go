package compress

import (
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestTransform(t *testing.T) {
	for _, tc := range []struct {
		name       string
		resp, want field.Fields
		enc        Encoding
	}{
		{
			"everything of the bytes goes",
			fields("Date", "d", "content-length", "9", "ETag", `"x"`, "Accept-Ranges", "bytes", "Content-MD5", "m",
				"Content-Digest", "c", "Repr-Digest", "r", "Digest", "g", "Content-Encoding", "identity", "X-A", "1", "X-A", "2"),
			fields("Date", "d", "ETag", `W/"x"`, "X-A", "1", "X-A", "2", "Content-Encoding", "br", "Vary", "Accept-Encoding"),
			Brotli,
		},
		{
			"identity says only that there are others",
			fields("Content-Length", "9", "ETag", `"x"`, "Accept-Ranges", "bytes"),
			fields("Content-Length", "9", "ETag", `"x"`, "Accept-Ranges", "bytes", "Vary", "Accept-Encoding"),
			Identity,
		},
		{"weak stays weak", fields("etag", `W/"x"`, "Vary", "*"), fields("etag", `W/"x"`, "Vary", "*", "Content-Encoding", "gzip"), Gzip},
		{"a tag without quotes", fields("ETag", "x", "Vary", "*"), fields("ETag", "W/x", "Vary", "*", "Content-Encoding", "gzip"), Gzip},
		{"Vary is extended", fields("Vary", "Origin", "Vary", "Cookie"), fields("Vary", "Origin, Accept-Encoding", "Vary", "Cookie"), Identity},
		{"an empty Vary", fields("Vary", ""), fields("Vary", "", "Vary", "Accept-Encoding"), Identity},
		{"Vary is there", fields("Vary", "Origin", "vary", "Cookie ,accept-encoding"), fields("Vary", "Origin", "vary", "Cookie ,accept-encoding"), Identity},
		{"no fields", nil, fields("Content-Encoding", "zstd", "Vary", "Accept-Encoding"), Zstd},
	} {
		before := tc.resp.Clone()
		got := Transform(tc.resp, tc.enc)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
		if !slices.Equal(tc.resp, before) {
			t.Errorf("%s: what was given has become %q", tc.name, tc.resp)
		}
		if tc.enc != Identity && Eligible(200, got.Clone().Add("Content-Type", "text/html"), -1, Rule{}) {
			t.Errorf("%s: may be compressed again", tc.name)
		}
		if again := Transform(got, Identity); !slices.Equal(again, got) {
			t.Errorf("%s: again %q", tc.name, again)
		}
	}
}
