package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pattern is content in which every piece is different.
func pattern(size int) []byte {
	b := make([]byte, 0, size+16)
	for i := 0; len(b) < size; i++ {
		b = fmt.Appendf(b, "%x,", i)
	}
	return b[:size]
}

// cut cuts content into parts of any size, some of them empty.
func cut(r *rand.Rand, content []byte) (parts [][]byte) {
	for len(content) > 0 {
		n := min(len(content), r.IntN(1+r.IntN(100_000)))
		parts = append(parts, content[:n])
		content = content[n:]
	}
	return append(parts, nil)
}

func TestAnswersOfAnySizeArriveWhole(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for _, encrypted := range []bool{false, true} {
		for _, tcp := range []bool{false, true} {
			var cfg Config
			if encrypted {
				cfg = tlsConfig(t)
			}
			type result struct {
				sent int64
				err  error
			}
			results := make(chan result, 1)
			answers := make(chan canned, 1)
			cfg.Fast = fastFunc(func(w FastWriter, _ *FastRequest) bool {
				a := <-answers
				before := bytes.Join(a.content, nil)
				sent, err := w.Send(a.head, a.content)
				if !bytes.Equal(bytes.Join(a.content, nil), before) {
					t.Error("the parts were changed")
				}
				results <- result{sent, err}
				return true
			})
			f := start(t, tcp, cfg)
			c := f.connect()
			if encrypted {
				c, _ = f.secure("a.example")
			}
			for _, size := range []int{0, 1, 1000, copiedInClear - 200, copiedInClear, copiedSize - 200, copiedSize, copiedSize + 1, portionSize, 3*portionSize + 7} {
				for _, filler := range []int{0, 5000, copiedSize} {
					content := pattern(size)
					head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nX: %s\r\nContent-Length: %d\r\n\r\n", strings.Repeat("x", filler), size)
					answers <- canned{head, cut(r, content)}
					c.send(getFast, 0)
					_, body := c.response()
					if body != string(content) {
						t.Fatalf("%d bytes of %d; TLS %v, TCP %v, seed %d", len(body), size, encrypted, tcp, seed)
					}
					if got := <-results; got.sent != int64(size) || got.err != nil {
						t.Errorf("sent %d of %d: %v", got.sent, size, got.err)
					}
				}
			}
			c.Close()
		}
	}
}

// A client that reads slowly gets every byte, however the system cuts the writes.
func TestSlowReaderGetsEveryByte(t *testing.T) {
	content := pattern(6 << 20)
	h := &canned{head: fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(content))}
	h.content = cut(rand.New(rand.NewPCG(1, 2)), content)
	f := start(t, true, Config{Fast: h})
	c := f.connect()
	c.Conn.(*net.TCPConn).SetReadBuffer(128 << 10)
	c.send(getFast, 0)
	got := make([]byte, 0, len(h.head)+len(content))
	for want := len(h.head) + len(content); len(got) < want; {
		n, err := c.Conn.Read(got[len(got):min(cap(got), len(got)+5000)])
		if err != nil {
			t.Fatal(err)
		}
		got = got[:len(got)+n]
	}
	if !bytes.Equal(got, append(h.head[:len(h.head):len(h.head)], content...)) {
		t.Error("other bytes arrived")
	}
}

// A client that takes nothing is cut after WriteTimeout and before twice that,
// however long the connection has been there.
func TestAWriteThatWaitsEnds(t *testing.T) {
	for _, wait := range []time.Duration{0, 20 * time.Second, 40 * time.Second, 70 * time.Second} {
		for _, size := range []int{100, 100_000} {
			synctest.Test(t, func(t *testing.T) {
				type result struct {
					sent  int64
					err   error
					after time.Duration
				}
				results := make(chan result, 10)
				f := start(t, false, Config{Fast: fastFunc(func(w FastWriter, r *FastRequest) bool {
					began := time.Now()
					sent, err := w.Send([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"), [][]byte{make([]byte, size)})
					results <- result{sent, err, time.Since(began)}
					return true
				})})
				c := f.connect()
				c.send(getFast, 0)
				io.ReadFull(c.r, make([]byte, len("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")+size))
				if r := <-results; r.err != nil || r.sent != int64(size) {
					t.Errorf("%+v", r)
				}
				<-time.After(wait)
				c.send(getFast, 0)
				r := <-results
				if !errors.Is(r.err, os.ErrDeadlineExceeded) || r.sent != 0 || r.after < defaultWriteTimeout || r.after > 2*defaultWriteTimeout {
					t.Errorf("%+v", r)
				}
				c.wantEnd()
			})
		}
	}
}

// A handler finds no write deadline, whoever has answered before it.
func TestNoWriteDeadlineIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := startFast(t, false, Config{Handler: slowHandler(release)})
		c := f.connect()
		c.send(getFast, 0)
		c.wantAnswer("/fast", true)
		c.send(get, 0)
		<-time.After(10 * defaultWriteTimeout)
		close(release)
		c.wantAnswer("/a", false)
	})
}

// counted counts the writes to a connection.
type counted struct {
	net.Conn
	writes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

type countedListener struct {
	*pipes
	writes *atomic.Int64
}

func (l countedListener) Accept() (net.Conn, error) {
	c, err := l.pipes.Accept()
	return counted{c, l.writes}, err
}

// A small answer is one write, and on TLS one record.
func TestSmallAnswersAreOneWrite(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		var cfg Config
		if encrypted {
			cfg = tlsConfig(t)
		}
		synctest.Test(t, func(t *testing.T) {
			var writes atomic.Int64
			memory := newPipes()
			l := countedListener{memory, &writes}
			if encrypted {
				cfg.HTTPS[0].Listener = l
			} else {
				cfg.HTTPListeners = []Listener{{Listener: l}}
			}
			h := newCanned(1 << 10)
			cfg.Fast, cfg.Handler = h, h
			s, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			f := &fixture{t: t, Server: s, dial: memory.dial}
			c := f.connect()
			if encrypted {
				c, _ = f.secure("a.example")
			}
			for i := range 5 {
				before := writes.Load()
				c.send(getFast, 0)
				if _, body := c.response(); len(body) != 1<<10 {
					t.Fatalf("%d bytes", len(body))
				}
				// crypto/tls makes the first record of a connection shorter.
				if n := writes.Load() - before; n != 1 && (i > 0 || !encrypted) {
					t.Errorf("answer %d was sent in %d writes", i, n)
				}
			}
		})
	}
}
