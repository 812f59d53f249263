package server

import "testing"

// What the strict check costs for a head as browsers send it.
func BenchmarkHead(b *testing.B) {
	limits, err := Limits{}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	in := []byte("GET /assets/app.3f2a.js?v=12 HTTP/1.1\r\n" +
		"Host: www.example.com\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
		"Accept: */*\r\n" +
		"Accept-Language: en-US,en;q=0.5\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Referer: https://www.example.com/\r\n" +
		"Connection: keep-alive\r\n" +
		"Cookie: session=0123456789abcdef; theme=dark\r\n" +
		"Sec-Fetch-Dest: script\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Site: same-origin\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		h := newHead(&limits)
		if size, reason := h.advance(in); size != len(in) || reason != "" {
			b.Fatal(size, reason)
		}
	}
}
