package proxy

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/compress"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
)

func compressing(_ *site, v *Service, _ *fetch.Config) {
	v.Compression = Compression{Encodings: []compress.Encoding{compress.Gzip}, Rule: compress.Rule{MinSize: 10}}
}

func gunzip(t *testing.T, b []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCompression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, compressing)
		text := strings.Repeat("all work and no play ", 500)
		s.says(text, "Cache-Control: max-age=600", "Content-Type: text/plain", `ETag: "v1"`, "Surrogate-Key: k", "Accept-Ranges: bytes")
		ask := "Accept-Encoding: br;q=0.1, gzip"
		for _, cache := range []string{"MISS", "HIT", "HIT"} {
			got := s.get("/a", ask)
			h := got.Header()
			if got.cache() != cache || h.Get("Content-Encoding") != "gzip" || h.Get("ETag") != `W/"v1"` || h.Get("Vary") != "Accept-Encoding" || h.Get("Accept-Ranges") != "" {
				t.Errorf("%s: %v", got.cache(), h)
			}
			if gunzip(t, got.Body.Bytes()) != text {
				t.Errorf("%s: what is decoded differs", cache)
			}
			synctest.Wait() // for the form that is stored
		}
		if got := s.get("/a", ask).Header().Get("Content-Length"); got == "" || len(got) > 3 {
			t.Errorf("Content-Length %q: it is not the stored form that is served", got)
		}
		plain := s.get("/a")
		if plain.body() != text || plain.Header().Get("ETag") != `"v1"` || plain.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("plain: %v", plain.Header())
		}
		if got := s.get("/a", ask, "Range: bytes=0-7"); got.Code != 206 || got.body() != "all work" {
			t.Errorf("a range: %d %q", got.Code, got.body())
		}
		if got := s.get("/a", ask, `If-None-Match: W/"v1"`); got.Code != 304 || got.Header().Get("ETag") != `W/"v1"` {
			t.Errorf("condition: %d %v", got.Code, got.Header())
		}
		if got := s.do("HEAD", "/a", ask); got.Header().Get("Content-Encoding") != "gzip" || got.body() != "" {
			t.Errorf("HEAD: %v", got.Header())
		}
		if f := s.lastRequest().Fields; s.fetches() != 1 || f.Has("Accept-Encoding") {
			t.Errorf("%d fetches, the last for %v", s.fetches(), f)
		}
		text = "something else entirely, and long enough"
		s.says(text, "Cache-Control: max-age=600", "Content-Type: text/plain", "Surrogate-Key: k")
		s.purgeKey("k", purge.Effect{})
		if got := s.get("/a", ask); got.cache() != "MISS" || gunzip(t, got.Body.Bytes()) != text {
			t.Error("the compressed form survived the purge")
		}
	})
}

func TestCompressionOfFillingBodyFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, compressing)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			return streamed(200, -1, drip(3, 10, io.EOF), "Content-Type: text/plain", "Cache-Control: no-store"), nil
		})
		got := s.get("/a", "Accept-Encoding: gzip")
		if gunzip(t, got.Body.Bytes()) != strings.Repeat("x", 30) || !got.Flushed {
			t.Errorf("%d bytes, flushed %v", got.Body.Len(), got.Flushed)
		}
	})
}

func TestCutBodyDoesNotDecode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, compressing)
		s.origin(func(*origin.Request) (*origin.Response, error) {
			broken := &origin.Error{Kind: origin.KindTruncated, Err: io.ErrUnexpectedEOF}
			return streamed(200, -1, drip(2, 10, broken), "Content-Type: text/plain", "Cache-Control: max-age=60"), nil
		})
		got := s.get("/a", "Accept-Encoding: gzip")
		r, err := gzip.NewReader(got.Body)
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if !got.cut || err == nil {
			t.Errorf("cut %v, decoding: %v", got.cut, err)
		}
	})
}

func TestNotCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, compressing)
		text := strings.Repeat("x", 100)
		for name, fields := range map[string][]string{
			"a picture":             {"Content-Type: image/jpeg"},
			"what is encoded":       {"Content-Type: text/plain", "Content-Encoding: br"},
			"where it is forbidden": {"Content-Type: text/plain", "Cache-Control: no-transform"},
			"what names no type":    nil,
		} {
			s.says(text, fields...)
			if got := s.get("/"+strings.ReplaceAll(name, " ", "-"), "Accept-Encoding: gzip"); got.body() != text {
				t.Errorf("%s was compressed: %v", name, got.Header())
			}
		}
		time.Sleep(time.Second)
	})
}
