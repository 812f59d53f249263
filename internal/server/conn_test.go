package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// noBody answers with the target and leaves the body alone.
type noBody struct{}

func (noBody) ServeHTTP(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) }

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	for _, size := range []int{0, 1, 13} {
		for _, tcp := range []bool{false, true} {
			f := start(t, tcp, Config{})
			c := f.connect()
			var all strings.Builder
			for i := range 300 {
				fmt.Fprintf(&all, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i)
			}
			c.send(all.String(), size)
			for i := range 300 {
				if _, body := c.response(); body != fmt.Sprintf("GET /%d ", i) {
					t.Fatalf("answer %d is %q", i, body)
				}
			}
			c.Close()
		}
	}
}

// What a client sends ahead while it is being answered is not read without end.
func TestReadAheadIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := start(t, false, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-release
		})})
		c := f.connect()
		sent := make(chan int)
		go func() {
			total := 0
			for range 10_000 {
				n, err := io.WriteString(c, get)
				total += n
				if err != nil {
					break
				}
			}
			sent <- total
		}()
		synctest.Wait() // the handler waits and the client cannot send more
		c.SetWriteDeadline(time.Now())
		if n := <-sent; n > defaultHeaderBytes+pooledSize {
			t.Errorf("%d bytes were taken in", n)
		}
		c.Close()
		close(release)
	})
}

func TestContinueIsSentBeforeTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{})
		c := f.connect()
		c.send(post+"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n", 0)
		if r, err := http.ReadResponse(c.r, nil); err != nil || r.StatusCode != 100 {
			t.Fatalf("%v %v", r, err)
		}
		c.send("hello"+get, 0)
		for _, want := range []string{"POST /a hello", "GET /a "} {
			if _, body := c.response(); body != want {
				t.Errorf("%q, want %q", body, want)
			}
		}
	})
}

// A client that waits for 100 and is refused by the handler may or may not send
// the body: nothing of it may be taken for a request.
func TestBodyAfterRefusedContinueIsNotARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{Handler: noBody{}})
		c := f.connect()
		c.send(post+"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"+smuggled, 0)
		if r, body := c.response(); !r.Close || body != "/a" {
			t.Errorf("%q, close %v", body, r.Close)
		}
		c.wantEnd()
	})
}

func upgradeToEcho(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "echo" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer c.Close()
	io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
	io.Copy(c, rw)
}

func TestUpgradedConnectionPassesEverything(t *testing.T) {
	for _, size := range []int{0, 1} {
		for _, tcp := range []bool{false, true} {
			f := start(t, tcp, Config{Handler: http.HandlerFunc(upgradeToEcho)})
			c := f.connect()
			const payload = "\x00\x01 not HTTP\n\r\n\x16\x03" + smuggled
			c.send(lineHost+"Connection: upgrade\r\nUpgrade: echo\r\n\r\n"+payload, size)
			if r, err := http.ReadResponse(c.r, nil); err != nil || r.StatusCode != 101 {
				t.Fatalf("%v %v", r, err)
			}
			got := make([]byte, len(payload))
			if _, err := io.ReadFull(c.r, got); err != nil || string(got) != payload {
				t.Errorf("%q %v", got, err)
			}
			if len(f.refusals()) > 0 {
				t.Errorf("events: %+v", f.refusals())
			}
			c.Close()
		}
	}
}

func TestRefusedUpgradeGoesOnBeingChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{Handler: http.HandlerFunc(upgradeToEcho)})
		c := f.connect()
		c.send(lineHost+"Connection: upgrade\r\nUpgrade: other\r\n\r\n"+"GET /smuggled HTTP/1.1\nHost: a\n\n", 0)
		for _, want := range []int{403, 400} {
			if r, _ := c.response(); r.StatusCode != want {
				t.Errorf("%d, want %d", r.StatusCode, want)
			}
		}
		c.wantEnd()
	})
}

func TestOfferOfHTTP2IsNotPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.Header["Upgrade"], r.Header["Http2-Settings"])
		})})
		c := f.connect()
		c.send(lineHost+"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: websocket, h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n", 0)
		if r, body := c.response(); r.StatusCode != 200 || body != "[] []" {
			t.Errorf("%d %q", r.StatusCode, body)
		}
	})
}

// A client that leaves cancels its request, be it without a body or with one.
func TestLeavingCancelsTheRequest(t *testing.T) {
	for _, request := range []string{get, post + "Content-Length: 5\r\n\r\nhello", chunkedPost + "0\r\n\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			cancelled := make(chan error, 1)
			f := start(t, false, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
				cancelled <- r.Context().Err()
			})})
			c := f.connect()
			c.send(request, 0)
			synctest.Wait()
			c.Close()
			if err := <-cancelled; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// A bad request behind a good one does not spoil the answer to the good one.
func TestRefusalWaitsForTheAnswerUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := start(t, false, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
				io.WriteString(w, "good")
			case <-r.Context().Done():
			}
		})})
		c := f.connect()
		c.send(get+"GET /smuggled HTTP/1.1\nHost: a\n\n", 0)
		synctest.Wait()
		close(release)
		if r, body := c.response(); r.StatusCode != 200 || body != "good" {
			t.Errorf("%d %q", r.StatusCode, body)
		}
		if r, _ := c.response(); r.StatusCode != 400 {
			t.Errorf("%d", r.StatusCode)
		}
	})
}

func TestWriteDeadlinesReachTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan error, 1)
		f := start(t, false, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			control := http.NewResponseController(w)
			if err := control.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
				failed <- err
				return
			}
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					failed <- err
					return
				}
			}
		})})
		c := f.connect()
		c.send(get, 0)
		if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestFilesAreSent(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	content := strings.Repeat("0123456789", 50_000)
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tcp := range []bool{false, true} {
		f := start(t, tcp, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(w, r, name)
		})})
		c := f.connect()
		c.send(get, 0)
		if _, body := c.response(); body != content {
			t.Errorf("%d bytes arrived", len(body))
		}
		c.Close()
	}
}

// A client that stops in the middle of a body does not keep anything.
func TestSilentBodyEnds(t *testing.T) {
	for _, request := range []string{
		post + "Content-Length: 10\r\n\r\nhello",
		chunkedPost + "a\r\nhello",
	} {
		synctest.Test(t, func(t *testing.T) {
			f := start(t, false, Config{})
			c := f.connect()
			c.send(request, 0)
			began := time.Now()
			if r, _ := c.response(); r.StatusCode != 400 {
				t.Errorf("%d", r.StatusCode)
			}
			c.wantEnd()
			if d := time.Since(began); d != defaultBodyTimeout {
				t.Errorf("after %v", d)
			}
			if e := f.refusals(); len(e) != 1 || e[0].Reason != event.RefusedBodyTimeout {
				t.Errorf("events: %+v", e)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			f := start(t, false, Config{Handler: noBody{}})
			c := f.connect()
			c.send(request, 0)
			began := time.Now()
			c.response()
			c.wantEnd()
			if d := time.Since(began); d != leftoverTimeout {
				t.Errorf("after %v", d)
			}
		})
	}
}

// Between two requests net/http gets one byte and no more, should it ever think
// that the first goes on.
func TestOnlyOneByteGoesAhead(t *testing.T) {
	c := wrapped(t, &scripted{in: []byte(get + smuggled), piece: 1000})
	p := make([]byte, 4096)
	if n, err := c.Read(p); n != len(get) || err != nil {
		t.Fatal(n, err)
	}
	if n, err := c.Read(p); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	for range 2 {
		if n, err := c.Read(p); n != 0 || !errors.Is(err, errDesync) {
			t.Error(n, err)
		}
	}
}

// net/http may go on with a connection although a body was cut short by a
// deadline; the rest of that body must not become a request.
func TestBodyCutByADeadlineIsNotARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).EnableFullDuplex()
			io.WriteString(w, r.RequestURI)
		})})
		c := f.connect()
		c.send(post+"Content-Length: 1000\r\n\r\nhello", 0)
		c.response()
		<-time.After(leftoverTimeout)
		synctest.Wait()
		c.send(smuggled, 0)
		c.wantEnd()
	})
}

// The body of a request that a handler answers without reading goes with the
// connection.
func TestUnreadBodyIsNotARequest(t *testing.T) {
	f := start(t, true, Config{Handler: noBody{}})
	c := f.connect()
	body := strings.Repeat(smuggled, 10_000)
	c.send(fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s%s", post, len(body), body, get), 0)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || !r.Close {
		t.Fatalf("%v %v", r, err)
	}
	if b, _ := io.ReadAll(r.Body); string(b) != "/a" {
		t.Errorf("%q", b)
	}
}
