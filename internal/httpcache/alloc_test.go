package httpcache

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// hitPath is what a request for a stored response runs through.
func hitPath() map[string]func() {
	browser := head("Host: www.example.com", "User-Agent: x", "Accept: text/html", "Accept-Language: de, en;q=0.5",
		"Accept-Encoding: zstd, br, gzip", "Cookie: a=b", "Connection: keep-alive", "Cache-Control: max-age=0, no-cache",
		`If-None-Match: "x", W/"abc"`, "Range: bytes=0-99", `If-Range: "abc"`)
	split := head("Accept-Language: de,", "Accept-Language:  en;q=0.5")
	dated := head("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT")
	stored := head("Date: "+date(time.Hour), `ETag: "abc"`, "Last-Modified: "+t0Date)
	key, _ := Variant("Accept-Encoding, Accept-Language, X-None", browser)
	ask, s := ParseRequest(browser), standard()
	p := &Policy{RequestDirectives: DirectivesObey}
	room := make(field.Fields, 0, 32)
	status := make([]byte, 0, 128)
	return map[string]func(){
		"ParseRequest":             func() { ParseRequest(browser) },
		"Decide":                   func() { Decide(s, ask, p, t0) },
		"StaleIfError":             func() { StaleIfError(s, ask, p, t0) },
		"VariantMatches":           func() { VariantMatches(key, browser) },
		"VariantMatches/Split":     func() { VariantMatches(key, split) },
		"NormalAcceptEncoding":     func() { NormalAcceptEncoding("gzip, deflate, br;q=0.9, *;q=0") },
		"Precondition/None":        func() { Precondition("GET", split, stored) },
		"Precondition/IfNoneMatch": func() { Precondition("GET", browser, stored) },
		"Precondition/Date":        func() { Precondition("GET", dated, stored) },
		"Range/None":               func() { Range(split, stored, 1000) },
		"Range/Resolve": func() {
			var part [1]ByteRange
			r := ParseRange(browser)
			if !IfRange(browser, stored) || r.Resolve(1000, part[:0]).Kind != Partial {
				panic("no range")
			}
		},
		"EndToEnd":          func() { EndToEnd(browser, room[:0]) },
		"AppendCacheStatus": func() { AppendCacheStatus(status, "rescind-a", CacheStatus{Hit: true, HasTTL: true}) },
		"HidesField":        func() { HidesField(nil, "ETag") },
	}
}

func TestHitPathDoesNotAllocate(t *testing.T) {
	for name, f := range hitPath() {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkHitPath(b *testing.B) {
	for name, f := range hitPath() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

func BenchmarkStore(b *testing.B) {
	x := got(200, "Date: "+t0Date, "Content-Type: text/html", "Cache-Control: public, max-age=60, stale-while-revalidate=10",
		`ETag: "abc"`, "Vary: Accept-Encoding", "Surrogate-Key: a b c")
	x.Request = head("Accept-Encoding: br, gzip")
	b.ReportAllocs()
	for b.Loop() {
		if s := Store(x, &Policy{}); !s.Store {
			b.Fatal(s.Reason)
		}
	}
}
