package proxy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkMiss is what a request costs here that a fetch answers, with an
// origin that costs nothing.
func BenchmarkMiss(b *testing.B) {
	s := newSite(b)
	s.says(string(make([]byte, 1024)), "Cache-Control: max-age=60", "Content-Type: text/html", `ETag: "e"`, "Surrogate-Key: a b c")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("http://shop.example/%d", i), nil)
		s.proxy.ServeHTTP(httptest.NewRecorder(), r)
	}
}
