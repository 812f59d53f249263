package server

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A handler that answers by halves, or fails, costs its connection and no more.
func TestFastHandlersThatFail(t *testing.T) {
	for name, serve := range map[string]fastFunc{
		"says it has answered":  func(FastWriter, *FastRequest) bool { return true },
		"says it has not":       func(w FastWriter, r *FastRequest) bool { answerFast(w, r); return false },
		"panics":                func(FastWriter, *FastRequest) bool { panic("a bug") },
		"panics after sending":  func(w FastWriter, r *FastRequest) bool { answerFast(w, r); panic("a bug") },
		"panics with the abort": func(FastWriter, *FastRequest) bool { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, before := range []string{"", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"} {
				synctest.Test(t, func(t *testing.T) {
					var logged bytes.Buffer
					f := start(t, false, Config{Fast: serve, Log: slog.New(slog.NewTextHandler(&logged, nil))})
					c := f.connect()
					if before != "" {
						c.send(before, 0)
						c.response()
					}
					c.send(getFast, 0)
					io.Copy(io.Discard, c.r)
					if err := f.Close(); err != nil {
						t.Error(err)
					}
					if strings.Contains(logged.String(), "a bug") != (strings.HasPrefix(name, "panics") && name != "panics with the abort") {
						t.Errorf("logged: %s", logged.String())
					}
				})
			}
		})
	}
}

func TestASecondAnswerIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var second error
		f := start(t, false, Config{Fast: fastFunc(func(w FastWriter, r *FastRequest) bool {
			answerFast(w, r, "GET /fast ")
			_, second = w.Send([]byte("HTTP/1.1 500 Oops\r\n\r\n"), nil)
			return true
		})})
		c := f.connect()
		c.send(getFast, 0)
		c.wantAnswer("/fast", true)
		if synctest.Wait(); !errors.Is(second, errSentTwice) {
			t.Error(second)
		}
	})
}

func TestDrainDuringAFastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, release := make(chan struct{}), make(chan struct{})
		f := start(t, false, Config{Fast: fastFunc(func(w FastWriter, r *FastRequest) bool {
			entered <- struct{}{}
			<-release
			answerFast(w, r, "GET /fast ")
			return true
		})})
		working, idle := f.connect(), f.connect()
		idle.send(getFast, 0)
		<-entered
		release <- struct{}{}
		idle.wantAnswer("/fast", true)
		working.send(getFast, 0)
		<-entered

		began := time.Now()
		ended := make(chan error)
		go func() { ended <- f.Shutdown(t.Context()) }()
		idle.wantEnd()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("the drain did not wait: %v", err)
		default:
		}
		release <- struct{}{}
		working.wantAnswer("/fast", true)
		working.wantEnd()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > time.Second { // net/http looks every now and then
			t.Errorf("after %v", d)
		}
	})
}

// A request whose head was on the way when the drain began is net/http's, which
// tells the client that the connection ends.
func TestNothingIsOfferedInADrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated()
		f := startFast(t, false, Config{Handler: g})
		c := f.connect()
		c.send(getFast[:20], 0)
		synctest.Wait()
		ended := make(chan error)
		go func() { ended <- f.Shutdown(t.Context()) }()
		synctest.Wait()
		c.send(getFast[20:], 0)
		<-g.entered
		close(g.release)
		if r, body := c.response(); body != "done" || !r.Close {
			t.Errorf("%q, close %v", body, r.Close)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Close cuts what is under way, and there are no calls after it.
func TestCloseDuringFastAnswers(t *testing.T) {
	closed := make(chan struct{})
	f := startFast(t, true, Config{})
	late := make(chan bool, 1)
	f.cfg.Fast = fastFunc(func(w FastWriter, r *FastRequest) bool {
		answerFast(w, r, "GET /fast ")
		select {
		case <-closed:
			select {
			case late <- true:
			default:
			}
		default:
		}
		return true
	})
	answers := make(chan struct{})
	done := make(chan struct{})
	for range 8 {
		c := f.connect()
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				if _, err := io.WriteString(c, getFast); err != nil {
					return
				}
				if _, err := http.ReadResponse(c.r, nil); err != nil {
					return
				}
				if _, err := c.r.Discard(len("GET /fast ")); err != nil {
					return
				}
				answers <- struct{}{}
			}
		}()
	}
	for range 1000 {
		<-answers
	}
	go func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		close(closed)
	}()
	for left := 8; left > 0; {
		select {
		case <-answers:
		case <-done:
			left--
		}
	}
	<-closed
	select {
	case <-late:
		t.Error("a call after Close")
	default:
	}
}
