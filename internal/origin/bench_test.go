package origin

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
)

// serveBytes answers everything that ends in an empty line with the same bytes,
// without allocating, and returns the URL.
func serveBytes(tb testing.TB, answer []byte) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 64<<10)
				for have := 0; ; {
					n, err := c.Read(buf[have:])
					if err != nil {
						return
					}
					if have += n; strings.HasSuffix(string(buf[max(0, have-4):have]), "\r\n\r\n") {
						have = 0
						if _, err := c.Write(answer); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// BenchmarkExchange is a GET of 1 KB with ten fields each way, on a connection
// that is there. The origin's own time is in it; it allocates nothing.
func BenchmarkExchange(b *testing.B) {
	answer := "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Mon, 02 Nov 2026 08:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n" +
		"Content-Length: 1024\r\nCache-Control: public, max-age=86400\r\nLast-Modified: Mon, 02 Nov 2026 08:00:00 GMT\r\n" +
		"ETag: \"5f3c\"\r\nSurrogate-Key: a b c\r\nVary: Accept-Encoding\r\nX-Served: 1\r\n\r\n" + strings.Repeat("x", 1024)
	p, err := New(Config{Origins: []Endpoint{{URL: serveBytes(b, []byte(answer))}}})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	r := get("/a/b/c?d=e")
	for _, name := range []string{"Accept", "User-Agent", "Accept-Language", "Accept-Encoding", "Cookie", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Referer"} {
		r.Fields = r.Fields.Add(name, "some value of an ordinary length")
	}
	for name, ctx := range contexts(b) {
		b.Run(name, func(b *testing.B) {
			room := make([]byte, 2048)
			b.ReportAllocs()
			for b.Loop() {
				res, err := p.Do(ctx, r)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := readAll(res.Body, room); n != 1024 || err != nil {
					b.Fatal(n, err)
				}
				res.Body.Close()
			}
		})
	}
}

func contexts(b *testing.B) map[string]context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	return map[string]context.Context{"background": context.Background(), "cancellable": ctx}
}

func readAll(r io.Reader, room []byte) (n int, err error) {
	for err == nil {
		var m int
		m, err = r.Read(room[n:])
		n += m
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}
