//go:build e2e

package test

import (
	"strings"
	"testing"
)

func TestCompressedVariants(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("body { margin: 0 }\n", 100)
	origin := startNginx(t)
	origin.write("/site.css", content)
	n := startNode(t, settings{origin: origin.url()})
	plain := func() answer { return n.get("/site.css") }
	packed := func(accept string) answer {
		return n.get("/site.css", "--compressed", "--header", "Accept-Encoding: "+accept)
	}

	for _, want := range []string{"MISS", "HIT"} {
		p, z := plain(), packed("gzip")
		for name, got := range map[string]answer{"plain": p, "packed": z} {
			if got.status != 200 || got.header.Get("X-Cache") != want || string(got.body) != content {
				t.Errorf("%s: %.50v, want a %s of the whole file", name, got, want)
			}
			if got.header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: Vary is %q", name, got.header.Get("Vary"))
			}
		}
		if p.header.Get("Content-Encoding") != "" || z.header.Get("Content-Encoding") != "gzip" {
			t.Errorf("encoded as %q and %q", p.header.Get("Content-Encoding"), z.header.Get("Content-Encoding"))
		}
		if p.header.Get("ETag") == z.header.Get("ETag") {
			t.Errorf("both variants have the tag %s", p.header.Get("ETag"))
		}
	}
	if got := packed("deflate, gzip;q=1.0").header.Get("X-Cache"); got != "HIT" {
		t.Errorf("the same wish in other words: %s", got)
	}

	purged := n.get("/site.css", "--request", "PURGE")
	if got := purged.header.Get("Rescind-Purged"); got != "2" {
		t.Errorf("a purge of the URL took %q variants", got)
	}
	if got := plain().header.Get("X-Cache") + " " + packed("gzip").header.Get("X-Cache"); got != "MISS MISS" {
		t.Errorf("after a purge of the URL: %s", got)
	}
}

func TestVaryByLanguage(t *testing.T) {
	t.Parallel()
	origin := startRaw(t, map[string]script{"/": func(x *exchange) bool {
		body := "hello"
		if x.Header.Get("Accept-Language") == "de" {
			body = "hallo"
		}
		x.say(strings.Replace(whole(body), "\r\n", "\r\nVary: Accept-Language\r\n", 1))
		return true
	}})
	n := startNode(t, settings{origin: origin.url()})
	for _, cache := range []string{"MISS", "HIT"} {
		expect(t, "English", n.get("/", "--header", "Accept-Language: en"), "200 "+cache+" hello")
		expect(t, "German", n.get("/", "--header", "Accept-Language: de"), "200 "+cache+" hallo")
	}
}
