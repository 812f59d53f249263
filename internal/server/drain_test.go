package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/ports"
)

// gated is a handler that says when a request has come and waits to answer it.
type gated struct {
	entered, release chan struct{}
}

func newGated() gated { return gated{make(chan struct{}, 10), make(chan struct{})} }

func (g gated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.entered <- struct{}{}
	select {
	case <-g.release:
		io.WriteString(w, "done")
	case <-r.Context().Done():
	}
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated()
		f := start(t, false, Config{Handler: g})
		fresh, idle, working, arriving := f.connect(), f.connect(), f.connect(), f.connect()
		go func() { g.release <- struct{}{} }()
		idle.send(get, 0)
		idle.response()
		working.send(get, 0)
		arriving.send("GET /late HTTP/1.1\r\n", 0)
		synctest.Wait()

		began := time.Now()
		ended := make(chan error)
		go func() { ended <- f.Shutdown(t.Context()) }()
		fresh.wantEnd()
		idle.wantEnd()
		if _, err := f.dial(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a new connection: %v", err)
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("idle connections were closed after %v", d)
		}

		// A request that has begun to arrive is answered as well.
		arriving.send("Host: a\r\n\r\n", 0)
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("the drain did not wait: %v", err)
		default:
		}
		close(g.release)
		for _, c := range []*client{working, arriving} {
			if r, body := c.response(); r.StatusCode != 200 || body != "done" {
				t.Errorf("%d %q", r.StatusCode, body)
			}
			c.wantEnd()
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("the drain took %v longer than the requests", d)
		}
	})
}

// Requests that begin during a drain are told that the connection ends.
func TestAnswersDuringADrainSayClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{})
		c := f.connect()
		c.send("GET /a HT", 0)
		synctest.Wait()
		ended := make(chan error)
		go func() { ended <- f.Shutdown(t.Context()) }()
		synctest.Wait()
		c.send("TP/1.1\r\nHost: a\r\n\r\n", 0)
		if r, body := c.response(); body != "GET /a " || !r.Close {
			t.Errorf("%q, close %v", body, r.Close)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestDrainEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated()
		f := start(t, false, Config{Handler: g})
		c := f.connect()
		c.send(get, 0)
		<-g.entered
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := f.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if d := time.Since(began); d != time.Minute {
			t.Errorf("after %v", d)
		}
		c.wantEnd()
	})
}

func TestDrainOfHTTP2(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", encrypted), func(t *testing.T) {
			var cfg Config
			url := "http://a.example/"
			if encrypted {
				cfg, url = tlsConfig(t), "https://a.example/"
			}
			synctest.Test(t, func(t *testing.T) {
				g := newGated()
				cfg.Handler = g
				f := start(t, false, cfg)
				answer := make(chan string)
				go func() {
					r, err := f.http2Client(encrypted).Get(url)
					if err != nil {
						answer <- err.Error()
						return
					}
					body, _ := io.ReadAll(r.Body)
					r.Body.Close()
					answer <- string(body)
				}()
				<-g.entered
				ended := make(chan error)
				go func() { ended <- f.Shutdown(t.Context()) }()
				synctest.Wait()
				close(g.release)
				if a := <-answer; a != "done" {
					t.Errorf("%q", a)
				}
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A connection that a handler took over is waited for, then cut.
func TestDrainCutsWhatWasTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{Handler: http.HandlerFunc(upgradeToEcho)})
		c := f.connect()
		c.send(lineHost+"Connection: upgrade\r\nUpgrade: echo\r\n\r\n", 0)
		if _, err := http.ReadResponse(c.r, nil); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := f.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		c.wantEnd()
	})
}

func TestDrainDoesNotWaitForHandshakes(t *testing.T) {
	cfg := tlsConfig(t)
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, cfg)
		c := f.connect()
		began := time.Now()
		if err := f.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > time.Second { // net/http looks every now and then
			t.Errorf("after %v", d)
		}
		c.wantEnd()
	})
}

func TestCloseReportsAHandlerThatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, release := make(chan struct{}), make(chan struct{})
		f := start(t, false, Config{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(entered)
			<-release
		})})
		f.connect().send(get, 0)
		<-entered
		if err := f.Close(); !errors.Is(err, ErrStillRunning) {
			t.Error(err)
		}
		close(release)
	})
}

func TestStartBindsAllOrNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	given := newPipes()
	s, err := New(Config{
		HTTP:          []string{fmt.Sprintf("127.0.0.1:%d", ports.For(t, 1)[0]), taken.Addr().String()},
		HTTPListeners: []Listener{{Listener: given}},
		Handler:       http.NotFoundHandler(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil {
		t.Fatal("a port that is taken was bound")
	}
	if _, err := net.Dial("tcp", s.Addrs()[0].String()); err == nil {
		t.Error("the other port stays bound")
	}
	if err := s.Start(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	s.Close()
}

func TestAcceptGoesOnAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &faulty{pipes: newPipes(), faults: 3}
		s, err := New(Config{HTTPListeners: []Listener{{Listener: l}}, Handler: noBody{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c, err := l.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go io.WriteString(c, get)
		if n, err := c.Read(make([]byte, 1)); n != 1 {
			t.Error(err)
		}
	})
}

// faulty fails a few times, as a listener does when there are no descriptors.
type faulty struct {
	*pipes
	faults int
}

func (l *faulty) Accept() (net.Conn, error) {
	if l.faults > 0 {
		l.faults--
		return nil, errors.New("too many open files")
	}
	return l.pipes.Accept()
}

// Under load, a drain leaves every client with whole answers or none.
func TestDrainUnderLoad(t *testing.T) {
	f := start(t, true, Config{})
	var clients sync.WaitGroup
	half := make(chan struct{}, 1000)
	for range 8 {
		clients.Go(func() {
			tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return f.dial(ctx) }}
			defer tr.CloseIdleConnections()
			for i := range 1_000_000 {
				body := strings.Repeat("x", i%5000)
				r, err := (&http.Client{Transport: tr}).Post("http://a.example/a", "text/plain", strings.NewReader(body))
				if err != nil {
					return // the server has gone
				}
				got, err := io.ReadAll(r.Body)
				r.Body.Close()
				if err != nil || string(got) != "POST /a "+body {
					t.Errorf("%.50q %v", got, err)
					return
				}
				half <- struct{}{}
			}
		})
	}
	go func() {
		for range half {
		}
	}()
	for range 400 {
		<-half
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	clients.Wait()
	close(half)
	if len(f.refusals()) > 0 {
		t.Errorf("events: %+v", f.refusals())
	}
}
