package origin

import "testing"

// BenchmarkHead is what the head of a usual response costs.
func BenchmarkHead(b *testing.B) {
	in := []byte("HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Mon, 02 Nov 2026 08:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n" +
		"Content-Length: 1024\r\nCache-Control: public, max-age=86400\r\nLast-Modified: Mon, 02 Nov 2026 08:00:00 GMT\r\n" +
		"ETag: \"5f3c\"\r\nSurrogate-Key: a b c\r\nVary: Accept-Encoding\r\nConnection: keep-alive\r\nX-Served: 1\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		h, err := parseHead(in)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := h.framing("GET"); err != nil {
			b.Fatal(err)
		}
	}
}
