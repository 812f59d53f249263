package server

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

const wrkHead = "GET /assets/app.js HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"

const chromeHead = "GET /assets/app.3f2a.js?v=12 HTTP/1.1\r\n" +
	"Host: www.example.com\r\n" +
	"Connection: keep-alive\r\n" +
	"sec-ch-ua-platform: \"Linux\"\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36\r\n" +
	"sec-ch-ua: \"Not)A;Brand\";v=\"8\", \"Chromium\";v=\"138\", \"Google Chrome\";v=\"138\"\r\n" +
	"sec-ch-ua-mobile: ?0\r\n" +
	"Accept: */*\r\n" +
	"Sec-Fetch-Site: same-origin\r\n" +
	"Sec-Fetch-Mode: no-cors\r\n" +
	"Sec-Fetch-Dest: script\r\n" +
	"Referer: https://www.example.com/\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Accept-Language: en-US,en;q=0.9\r\n" +
	"Cookie: session=0123456789abcdef; theme=dark\r\n\r\n"

func BenchmarkFastHead(b *testing.B) {
	limits, err := Limits{}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{"wrk": wrkHead, "chrome": chromeHead} {
		b.Run(name, func(b *testing.B) {
			in, r := []byte(text), new(FastRequest)
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if scanHead(in, &limits, r) != simple {
					b.Fatal("declined")
				}
			}
		})
		b.Run(name+"-strict", func(b *testing.B) {
			in := []byte(text)
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				h := newHead(&limits)
				if size, reason := h.advance(in); size != len(in) || reason != "" {
					b.Fatal(size, reason)
				}
			}
		})
	}
}

// canned answers everything with one response.
type canned struct {
	head    []byte
	content [][]byte
}

func newCanned(size int) *canned {
	c := &canned{head: fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"+
		"Content-Type: text/plain\r\nCache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n", size)}
	body := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	for len(body) > 0 {
		n := min(len(body), 64<<10)
		c.content = append(c.content, body[:n])
		body = body[n:]
	}
	return c
}

func (c *canned) ServeFast(w FastWriter, r *FastRequest) bool {
	w.Send(c.head, c.content)
	return true
}

func (c *canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	size := 0
	for _, part := range c.content {
		size += len(part)
	}
	h := w.Header()
	h["Content-Type"] = []string{"text/plain"}
	h["Content-Length"] = []string{fmt.Sprint(size)}
	for _, part := range c.content {
		w.Write(part)
	}
}

// exchangeAll measures requests over several connections.
func exchangeAll(b *testing.B, request string, dial func() (net.Conn, error)) {
	b.ReportAllocs()
	b.SetParallelism(8) // so that neither side waits for the other
	b.RunParallel(func(pb *testing.PB) {
		c, err := dial()
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		in, out := []byte(request), make([]byte, 512<<10)
		size := 0 // of a response
		for pb.Next() {
			if _, err := c.Write(in); err != nil {
				b.Error(err)
				return
			}
			if size == 0 {
				size = responseSize(b, c, out)
				continue
			}
			for n := 0; n < size; {
				m, err := c.Read(out[n:])
				if n += m; err != nil {
					b.Error(err)
					return
				}
			}
		}
	})
}

func responseSize(b *testing.B, c io.Reader, buf []byte) int {
	n := 0
	for {
		m, err := c.Read(buf[n:])
		if n += m; err != nil {
			b.Error(err)
			return n
		}
		head, _, whole := strings.Cut(string(buf[:n]), "\r\n\r\n")
		if _, length, ok := strings.Cut(head, "Content-Length: "); whole && ok {
			var size int
			fmt.Sscan(length, &size)
			if size += len(head) + 4; n >= size {
				return size
			}
		}
	}
}

func benchServer(b *testing.B, cfg Config) *Server {
	s, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func dialer(address string) func() (net.Conn, error) {
	return func() (net.Conn, error) { return net.Dial("tcp", address) }
}

func BenchmarkFastHit(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			h := newCanned(size)
			s := benchServer(b, Config{HTTP: []string{"127.0.0.1:0"}, Handler: h, Fast: h})
			exchangeAll(b, wrkHead, dialer(s.Addrs()[0].String()))
		})
	}
}

func BenchmarkFastHitTLS(b *testing.B) {
	h := newCanned(1 << 10)
	pair := writeCertificate(b, b.TempDir(), "a.example", 1)
	s := benchServer(b, Config{
		HTTPS: []TLSListener{{Address: "127.0.0.1:0", Files: []KeyPair{pair}}}, Handler: h, Fast: h,
	})
	exchangeAll(b, wrkHead, func() (net.Conn, error) {
		return tls.Dial("tcp", s.Addrs()[0].String(), &tls.Config{InsecureSkipVerify: true})
	})
}

// What a request costs that the FastHandler does not take: beside what it
// costs without a wrapper, which is BenchmarkPlainNetHTTP.
func BenchmarkHandedOver(b *testing.B) {
	for _, text := range []string{wrkHead, chromeHead} {
		b.Run(fmt.Sprint(len(text)), func(b *testing.B) {
			h := newCanned(1 << 10)
			s := benchServer(b, Config{HTTP: []string{"127.0.0.1:0"}, Handler: h})
			exchangeAll(b, text, dialer(s.Addrs()[0].String()))
		})
	}
}

func BenchmarkPlainNetHTTP(b *testing.B) {
	for _, text := range []string{wrkHead, chromeHead} {
		b.Run(fmt.Sprint(len(text)), func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			plain := &http.Server{
				Handler: newCanned(1 << 10), ReadHeaderTimeout: defaultHeadTimeout, IdleTimeout: defaultIdle,
			}
			served := make(chan error)
			go func() { served <- plain.Serve(l) }()
			defer func() { plain.Close(); <-served }()
			exchangeAll(b, text, dialer(l.Addr().String()))
		})
	}
}
