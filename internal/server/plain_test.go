package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// plainFunc is a PlainHandler.
type plainFunc func(w PlainWriter, r *FastRequest)

func (f plainFunc) ServePlain(w PlainWriter, r *FastRequest) { f(w, r) }

// tell answers with a content of known length.
func tell(w PlainWriter, content string) error {
	if err := w.Begin(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nX-Plain: 1\r\nContent-Length: %d\r\n\r\n", len(content)), int64(len(content))); err != nil {
		return err
	}
	if _, err := io.WriteString(w, content); err != nil {
		return err
	}
	return w.End(nil)
}

// echoPlain answers as fixture.echo does.
func echoPlain(w PlainWriter, r *FastRequest) { tell(w, r.Method+" "+r.Target+" ") }

// wantPlain reads a response to "GET target" and checks that the PlainHandler gave it.
func (c *client) wantPlain(target string) {
	c.t.Helper()
	r, body := c.response()
	if body != "GET "+target+" " || r.Header.Get("X-Plain") == "" {
		c.t.Errorf("%d %q, plain %q; want GET %s, plain", r.StatusCode, body, r.Header.Get("X-Plain"), target)
	}
}

// Content of any length, written in any pieces, arrives as it was written, by its
// length and in chunks, and so does what is asked for behind it.
func TestPlainAnswersArriveWhole(t *testing.T) {
	seed := rand.Uint64()
	content := make([]byte, 256<<10)
	for i := range content {
		content[i] = byte(i * i >> 8)
	}
	// draw returns what is random of the answer to a target: its content first.
	draw := func(target string) (*rand.Rand, []byte) {
		var n uint64
		fmt.Sscanf(target, "/%d", &n)
		r := rand.New(rand.NewPCG(seed, n))
		return r, content[:r.IntN(1<<r.IntN(19))]
	}
	handler := plainFunc(func(w PlainWriter, req *FastRequest) {
		r, rest := draw(req.Target)
		length := int64(len(rest))
		head, trailer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", length), field.Fields(nil)
		if r.IntN(2) == 0 {
			length, head = -1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			trailer = trailer.Add("X-Sum", "of it")
		}
		err := w.Begin([]byte(head), length)
		for len(rest) > 0 && err == nil {
			piece := rest[:min(len(rest), 1+r.IntN(1<<r.IntN(18)))]
			var n int
			n, err = w.Write(piece)
			if rest = rest[n:]; n < len(piece) && err == nil {
				t.Errorf("%d of %d bytes were taken", n, len(piece))
			}
			if r.IntN(4) == 0 {
				w.Flush()
			}
		}
		if err = errors.Join(err, w.End(trailer)); err != nil {
			t.Errorf("%s: %v; seed %d", req.Target, err, seed)
		}
	})
	for _, encrypted := range []bool{false, true} {
		cfg := Config{}
		if encrypted {
			cfg = tlsConfig(t)
		}
		cfg.Plain = handler
		f := start(t, true, cfg)
		c := f.connect()
		if encrypted {
			c, _ = f.secure("a.example", "http/1.1")
		}
		for n := range 200 {
			target := fmt.Sprint("/", n)
			io.WriteString(c.Conn, "GET "+target+" HTTP/1.1\r\nHost: a.example\r\n\r\n")
			resp, body := c.response()
			_, want := draw(target)
			if body != string(want) || resp.ContentLength < 0 && resp.Trailer.Get("X-Sum") != "of it" {
				t.Fatalf("TLS %v, %s: %d bytes, not %d, trailer %v; seed %d", encrypted, target, len(body), len(want), resp.Trailer, seed)
			}
		}
		c.Close()
	}
}

func TestPlainAndOtherRequestsOnOneConnection(t *testing.T) {
	var f *fixture
	f = start(t, true, Config{
		Fast:  fastFunc(func(w FastWriter, r *FastRequest) bool { return f.fast(w, r) }),
		Plain: plainFunc(echoPlain),
	})
	c := f.connect()
	for range 3 {
		c.send(getFast, 0)
		c.wantAnswer("/fast", true)
		c.send(get, 0)
		c.wantPlain("/a")
		c.send(strings.Replace(get, "\r\n\r\n", "\r\nUpgrade: x\r\n\r\n", 1), 0)
		c.wantAnswer("/a", false)
	}
	c.send("GET /old HTTP/1.0\r\nHost: a.example\r\n\r\n", 0)
	c.wantAnswer("/old", false)
	c.wantEnd()
}

// What the request says outlives it.
func TestPlainRequestsMayBeRemembered(t *testing.T) {
	var kept []string
	f := start(t, true, Config{Plain: plainFunc(func(w PlainWriter, r *FastRequest) {
		value, _ := r.Fields.Get("X-A")
		kept = append(kept, r.Method, r.Target, r.Host, value)
		echoPlain(w, r)
	})})
	c := f.connect()
	for _, n := range []string{"1", "2", "3"} {
		c.send("GET /"+n+" HTTP/1.1\r\nHost: "+n+".example\r\nX-A: "+n+"\r\n\r\n", 0)
		c.wantPlain("/" + n)
	}
	if got := strings.Join(kept, " "); got != "GET /1 1.example 1 GET /2 2.example 2 GET /3 3.example 3" {
		t.Error(got)
	}
}

// An answer that breaks its framing, or is not completed, is cut, so that nothing
// behind it can be taken for a part of it.
func TestPlainAnswersThatAreNotWhole(t *testing.T) {
	for name, answer := range map[string]func(w PlainWriter){
		"nothing": func(PlainWriter) {},
		"no end": func(w PlainWriter) {
			w.Begin([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"), 1)
			w.Write([]byte("x"))
		},
		"too long": func(w PlainWriter) {
			w.Begin([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"), 1)
			w.Write([]byte("xy"))
			w.End(nil)
		},
		"too short": func(w PlainWriter) {
			w.Begin([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), 3)
			w.Write([]byte("xy"))
			if w.Flush(); w.End(nil) == nil {
				t.Error("an answer that is too short has been ended")
			}
		},
		"chunks without an end": func(w PlainWriter) {
			w.Begin([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), -1)
			w.Write([]byte("xy"))
			w.Flush()
		},
		"panic": func(w PlainWriter) {
			w.Begin([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), 3)
			w.Write([]byte("xy"))
			w.Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		f := start(t, true, Config{Plain: plainFunc(func(w PlainWriter, _ *FastRequest) { answer(w) })})
		c := f.connect()
		c.send(get, 0)
		if r, err := http.ReadResponse(c.r, nil); err == nil {
			if _, err = io.ReadAll(r.Body); err == nil {
				t.Errorf("%s: the client takes it for whole", name)
			}
		}
		c.wantEnd()
		c.Close()
	}
}

func TestPlainHandlerThatPanics(t *testing.T) {
	var log bytes.Buffer
	f := start(t, false, Config{
		Log:   slog.New(slog.NewTextHandler(&log, nil)),
		Plain: plainFunc(func(PlainWriter, *FastRequest) { panic("oh") }),
	})
	c := f.connect()
	c.send(get, 0)
	c.wantEnd()
	if f.Close(); !strings.Contains(log.String(), "oh") {
		t.Errorf("the log does not tell of the panic: %q", log.String())
	}
}

func TestPlainWriterRefusesWhatIsOutOfOrder(t *testing.T) {
	f := start(t, true, Config{Plain: plainFunc(func(w PlainWriter, r *FastRequest) {
		if _, err := w.Write([]byte("x")); err == nil {
			t.Error("content before a head is taken")
		}
		if w.End(nil) == nil {
			t.Error("no answer is ended")
		}
		echoPlain(w, r)
		if w.Begin(nil, 0) == nil || w.Inform(nil) == nil || w.End(nil) == nil {
			t.Error("something behind the end of an answer is taken")
		}
		if _, err := w.Write([]byte("x")); err == nil {
			t.Error("content behind the end of an answer is taken")
		}
	})})
	c := f.connect()
	c.send(get, 0)
	c.wantPlain("/a")
}

func TestPlainAnswersWithWordsAhead(t *testing.T) {
	f := start(t, true, Config{Plain: plainFunc(func(w PlainWriter, r *FastRequest) {
		w.Inform([]byte("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"))
		echoPlain(w, r)
	})})
	c := f.connect()
	c.send(get, 0)
	if r, _ := c.response(); r.StatusCode != http.StatusEarlyHints || r.Header.Get("Link") != "</a.css>" {
		t.Errorf("%d %v, not 103", r.StatusCode, r.Header)
	}
	c.wantPlain("/a")
}

// waiting is a PlainHandler that answers when it is told to.
type waiting struct {
	entered chan context.Context
	release chan struct{}
}

func newWaiting() *waiting {
	return &waiting{make(chan context.Context, 1), make(chan struct{}, 1)}
}

func (h *waiting) ServePlain(w PlainWriter, r *FastRequest) {
	h.entered <- w.Context()
	<-h.release
	echoPlain(w, r)
}

// A client that leaves ends the context, soon after it has left, and the calls of
// its requests before have ended theirs.
func TestPlainContextEndsWhenTheClientLeaves(t *testing.T) {
	for _, tcp := range []bool{true, false} {
		h := newWaiting()
		f := start(t, tcp, Config{Plain: h})
		c := f.connect()
		c.send(get, 0)
		first := <-h.entered
		if first.Err() != nil {
			t.Error("a context ended before its request")
		}
		h.release <- struct{}{}
		c.wantPlain("/a")
		<-first.Done()
		c.send(get, 0)
		second := <-h.entered
		c.Close()
		<-second.Done()
		h.release <- struct{}{}
	}
}

// What a client sends while its request is being answered is its next request,
// whenever it comes and in whatever pieces.
func TestRequestsThatComeWhileAPlainOneIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newWaiting()
		f := start(t, false, Config{Plain: h})
		c := f.connect()
		for _, pieces := range []int{1, 7, len(get)} {
			c.send(get, 0)
			<-h.entered
			time.Sleep(2 * watchAfter)
			half, rest := get[:len(get)/2], get[len(get)/2:]
			for at := 0; at < len(half); at += pieces {
				if _, err := io.WriteString(c.Conn, half[at:min(at+pieces, len(half))]); err != nil {
					t.Fatal(err)
				}
			}
			h.release <- struct{}{}
			c.wantPlain("/a")
			c.send(rest, 0)
			<-h.entered
			h.release <- struct{}{}
			c.wantPlain("/a")
		}
		c.Close()
		f.Close()
	})
}

// A whole request that comes meanwhile, and one that is refused.
func TestPipelineBehindAPlainRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newWaiting()
		f := start(t, false, Config{Plain: h})
		c := f.connect()
		c.send(get, 0)
		<-h.entered
		c.send(get+strings.Replace(get, "GET", "G(T", 1), 0)
		time.Sleep(time.Second)
		h.release <- struct{}{}
		c.wantPlain("/a")
		c.wantAnswer("/a", false) // what is pipelined is for net/http
		if r, _ := c.response(); r.StatusCode != http.StatusBadRequest {
			t.Errorf("a bad request behind is answered with %d", r.StatusCode)
		}
		c.wantEnd()
		f.Close()
	})
}

// A request may take longer than any deadline of reading, and its connection is
// good for another one, and then idle for as long as any.
func TestPlainRequestsThatTakeLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newWaiting()
		f := start(t, false, Config{Plain: h})
		c := f.connect()
		for range 2 {
			c.send(get, 0)
			ctx := <-h.entered
			time.Sleep(10 * defaultIdle)
			if ctx.Err() != nil {
				t.Fatal("the context ended while the client waited")
			}
			h.release <- struct{}{}
			c.wantPlain("/a")
			time.Sleep(defaultIdle - time.Second)
		}
		began := time.Now()
		c.wantEnd()
		if idle := time.Since(began); idle > 2*time.Second {
			t.Errorf("the connection was kept for %v more", idle)
		}
		f.Close()
	})
}

// A client that does not take its answer is cut.
func TestPlainAnswersAreNotWaitedForTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed error
		done := make(chan struct{})
		f := start(t, false, Config{Plain: plainFunc(func(w PlainWriter, _ *FastRequest) {
			defer close(done)
			began := time.Now()
			failed = tell(w, strings.Repeat("x", 1<<20))
			if took := time.Since(began); took < defaultWriteTimeout || took > 2*defaultWriteTimeout {
				t.Errorf("the client was given %v", took)
			}
		})})
		c := f.connect()
		io.WriteString(c.Conn, get)
		<-done
		if !isTimeout(failed) {
			t.Errorf("%v, not a timeout", failed)
		}
		c.Close()
		f.Close()
	})
}

// A drain waits for the answer; to close does not, and ends the context.
func TestPlainRequestsAtTheEnd(t *testing.T) {
	for _, drains := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h := newWaiting()
			f := start(t, false, Config{Plain: h})
			c := f.connect()
			c.send(get, 0)
			ctx := <-h.entered
			var ended atomic.Bool
			go func() {
				if drains {
					f.Shutdown(t.Context())
				} else {
					f.Close()
				}
				ended.Store(true)
			}()
			time.Sleep(time.Second)
			if synctest.Wait(); ended.Load() {
				t.Error("it has ended although a request is being answered")
			}
			if cut := ctx.Err() != nil; cut == drains {
				t.Errorf("drains: %v, the context has ended: %v", drains, cut)
			}
			h.release <- struct{}{}
			if drains {
				c.wantPlain("/a")
			}
			c.wantEnd()
			if synctest.Wait(); !ended.Load() {
				t.Error("it has not ended although nothing is left")
			}
		})
	}
}

// A client that closes its half after the request, which is answered at once, is
// answered.
func TestHalfClosedConnectionsGetPlainAnswers(t *testing.T) {
	f := start(t, true, Config{Plain: plainFunc(echoPlain)})
	for range 20 {
		c := f.connect()
		_, err := io.WriteString(c.Conn, get)
		if err = errors.Join(err, c.Conn.(*net.TCPConn).CloseWrite()); err != nil {
			t.Fatal(err)
		}
		c.wantPlain("/a")
		c.wantNothingMore()
		c.Close()
	}
}

// Requests of every kind, each in pieces and begun while the one before may still
// be being answered, are answered in their order, each once.
func TestRequestsOfAllKindsInAnyPieces(t *testing.T) {
	for range 20 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			var f *fixture
			f = start(t, false, Config{
				Fast: fastFunc(func(w FastWriter, r *FastRequest) bool { return f.fast(w, r) }),
				Plain: plainFunc(func(w PlainWriter, r *FastRequest) {
					var ms int
					fmt.Sscanf(r.Target, "/plain/%d", &ms)
					time.Sleep(time.Duration(ms) * time.Millisecond)
					f.note("plain " + r.Target)
					echoPlain(w, r)
				}),
			})
			c := f.connect()
			r := rand.New(rand.NewPCG(seed, 1))
			var targets []string
			for i := range 100 {
				target := [...]string{"/fast", "/other", fmt.Sprintf("/plain/%d", r.IntN(40))}[r.IntN(3)]
				targets = append(targets, fmt.Sprintf("%s/%d", target, i))
			}
			answered, sent := make(chan struct{}, len(targets)), make(chan struct{})
			go func() {
				defer close(sent)
				known := 0 // to have been answered
				for i, target := range targets {
					fields := ""
					if strings.HasPrefix(target, "/other") {
						fields = "Pragma: x\r\n"
					}
					head := "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"
					for at := 0; at < len(head); {
						n := 1 + r.IntN(len(head)-at)
						if r.IntN(2) == 0 {
							n = len(head) - at
						}
						io.WriteString(c.Conn, head[at:at+n])
						at += n
						time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
					}
					if r.IntN(2) == 0 { // or else the next begins while this one is answered
						for ; known <= i; known++ {
							<-answered
						}
					}
				}
			}()
			for _, target := range targets {
				if _, body := c.response(); body != "GET "+target+" " {
					t.Fatalf("%q, want %s; seed %d", body, target, seed)
				}
				answered <- struct{}{}
			}
			<-sent
			if n := len(f.requests()); n != len(targets) {
				t.Errorf("%d requests were answered %d times; seed %d", len(targets), n, seed)
			}
			c.Close()
			f.Close()
		})
	}
}
