//go:build e2e

package test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
)

// alphabet is a file of 2,600 bytes in which every place can be told.
func alphabet() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "%02d abcdefghijklmnopqrstuv\n", i)
	}
	return b.String()
}

func TestRanges(t *testing.T) {
	t.Parallel()
	file := alphabet()
	size := len(file)
	origin := startNginx(t)
	origin.write("/file.bin", file)
	origin.write("/other.bin", file)
	n := startNode(t, settings{origin: origin.url()})

	asked := n.get("/file.bin", "--range", "10-19")
	if asked.status != 206 || string(asked.body) != file[10:20] {
		t.Errorf("a range of what is not stored yet: %d, %q", asked.status, asked.body)
	}
	eventually(t, "the whole file is stored behind it", func() bool {
		return n.get("/file.bin").header.Get("X-Cache") == "HIT"
	})
	etag, changed := n.get("/file.bin").header.Get("ETag"), n.get("/file.bin").header.Get("Last-Modified")
	for _, c := range []struct {
		name, rnge, condition string
		from, to              int // to is past the last; to == 0: the whole
	}{
		{"first bytes", "0-99", "", 0, 100},
		{"in the middle", "1000-1000", "", 1000, 1001},
		{"open at its end", "2500-", "", 2500, size},
		{"suffix", "-10", "", size - 10, size},
		{"suffix longer than the file", "-99999", "", 0, size},
		{"past the end", "2590-99999", "", 2590, size},
		{"If-Range with its tag", "5-9", etag, 5, 10},
		{"If-Range with its date", "5-9", changed, 5, 10},
		{"If-Range with another tag", "5-9", `"other"`, 0, 0},
		{"If-Range with its tag, weak", "5-9", "W/" + etag, 0, 0},
	} {
		args := []string{"--range", c.rnge}
		if c.condition != "" {
			args = append(args, "--header", "If-Range: "+c.condition)
		}
		got := n.get("/file.bin", args...)
		status, body, place := 206, file[c.from:c.to], fmt.Sprintf("bytes %d-%d/%d", c.from, c.to-1, size)
		if c.to == 0 {
			status, body, place = 200, file, ""
		}
		if got.status != status || string(got.body) != body || got.header.Get("Content-Range") != place || got.header.Get("X-Cache") != "HIT" {
			t.Errorf("%s: %d with %q, %d bytes, %s", c.name, got.status, got.header.Get("Content-Range"), len(got.body), got.header.Get("X-Cache"))
		}
	}
	n.checkUnusualRanges(size)
	if count := n.asked(); count != 1 {
		t.Errorf("the origin was asked %d times", count)
	}
}

func (n *node) checkUnusualRanges(size int) {
	n.t.Helper()
	beyond := n.get("/file.bin", "--range", "99999-")
	if got := beyond.header.Get("Content-Range"); beyond.status != 416 || got != fmt.Sprintf("bytes */%d", size) {
		n.t.Errorf("beyond the file: %d, %q", beyond.status, got)
	}
	unknown := n.get("/file.bin", "--header", "Range: lines=1-2")
	if unknown.status != 200 || len(unknown.body) != size {
		n.t.Errorf("an unknown unit: %d, %d bytes", unknown.status, len(unknown.body))
	}
}

func TestSeveralRanges(t *testing.T) {
	t.Parallel()
	file := alphabet()
	origin := startNginx(t)
	origin.write("/file.bin", file)
	n := startNode(t, settings{origin: origin.url()})
	n.get("/file.bin")
	for _, via := range transports {
		got := n.over(via, "/file.bin", "--range", "0-4,100-109,-3")
		kind, params, err := mime.ParseMediaType(got.header.Get("Content-Type"))
		if got.status != 206 || kind != "multipart/byteranges" || err != nil {
			t.Fatalf("%s: %d, %q", via.name, got.status, got.header.Get("Content-Type"))
		}
		parts := multipart.NewReader(bytes.NewReader(got.body), params["boundary"])
		for _, want := range []struct{ place, body string }{
			{"bytes 0-4/2600", file[:5]}, {"bytes 100-109/2600", file[100:110]}, {"bytes 2597-2599/2600", file[2597:]},
		} {
			part, err := parts.NextRawPart()
			if err != nil {
				t.Fatalf("%s: %v", via.name, err)
			}
			body, err := io.ReadAll(part)
			if err != nil || string(body) != want.body || part.Header.Get("Content-Range") != want.place || part.Header.Get("Content-Type") != "application/octet-stream" {
				t.Errorf("%s: part %v with %q, %v", via.name, part.Header, body, err)
			}
		}
		if _, err := parts.NextRawPart(); err != io.EOF {
			t.Errorf("%s: after the last part: %v", via.name, err)
		}
	}
}
