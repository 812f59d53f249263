package proxy

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/origin"
)

// BenchmarkMissOverTCP fetches a page of 1 KB over TCP, stores it and answers with it,
// each URL once. What is left out is the client's connection and net/http.
func BenchmarkMissOverTCP(b *testing.B) {
	pool, err := origin.New(origin.Config{Origins: []origin.Endpoint{{URL: playOrigin(b)}}})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	s := newSite(b, func(_ *site, _ *Service, c *fetch.Config) { c.Origin = pool })
	r := s.request(context.Background(), http.MethodGet, "/", nil)
	w := &nobody{header: make(http.Header)}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		r.RequestURI = "/a/" + strconv.Itoa(n)
		clear(w.header)
		s.proxy.ServeHTTP(w, r)
		if w.header["X-Cache"][0] != "MISS" || w.bytes != (n+1)<<10 {
			b.Fatal(w.header, w.bytes)
		}
	}
}

// nobody takes an answer and keeps its fields.
type nobody struct {
	header http.Header
	bytes  int
}

func (w *nobody) Header() http.Header              { return w.header }
func (w *nobody) WriteHeader(int)                  {}
func (w *nobody) Write(p []byte) (int, error)      { w.bytes += len(p); return len(p), nil }
func (w *nobody) SetWriteDeadline(time.Time) error { return nil }
func (w *nobody) FlushError() error                { return nil }

// playOrigin answers every request with a page of 1 KB, and returns its URL. It
// allocates nothing while it does.
func playOrigin(b *testing.B) string {
	answer := []byte("HTTP/1.1 200 OK\r\nServer: origin\r\nDate: " + time.Now().UTC().Format(http.TimeFormat) +
		"\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 1024\r\nCache-Control: public, max-age=86400\r\n" +
		"Last-Modified: Mon, 02 Nov 2026 08:00:00 GMT\r\nETag: \"5f3c\"\r\nSurrogate-Key: a b c\r\n\r\n" + strings.Repeat("x", 1024))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for { // a request is one read here
					if _, err := c.Read(buf); err != nil {
						return
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}
