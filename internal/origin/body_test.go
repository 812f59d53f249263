package origin

import (
	"context"
	"errors"
	"io"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// onlyReader hides every other method, as the body of a client's request does.
type onlyReader struct{ io.Reader }

func post(body io.Reader, length int64) *Request {
	r := get("/")
	r.Method, r.Body, r.ContentLength = "POST", body, length
	return r
}

func TestRequestBodies(t *testing.T) {
	type sent struct{ head, body string }
	got := make(chan sent, 1)
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		for h := c.head(); h != ""; h = c.head() {
			var body strings.Builder
			if strings.Contains(h, "chunked") {
				io.Copy(&body, httputil.NewChunkedReader(c.r))
				c.head() // the trailer section
			} else if strings.Contains(h, "Content-Length: 5") {
				io.CopyN(&body, c.r, 5)
			}
			got <- sent{h, body.String()}
			c.say(simple)
		}
	})
	p := newPool(t, f, nil)
	const start = " / HTTP/1.1\r\nHost: www.example.com\r\n"
	for _, test := range []struct {
		method, body string
		length       int64
		want         sent
	}{
		{"POST", "hello", 5, sent{"POST" + start + "Content-Length: 5\r\n", "hello"}},
		{"POST", "hello and more", 5, sent{"POST" + start + "Content-Length: 5\r\n", "hello"}},
		{"POST", "hello", -1, sent{"POST" + start + "Transfer-Encoding: chunked\r\n", "hello"}},
		{"GET", "hello", -1, sent{"GET" + start + "Transfer-Encoding: chunked\r\n", "hello"}},
		{"POST", "", -1, sent{"POST" + start + "Transfer-Encoding: chunked\r\n", ""}},
		{"POST", "", 0, sent{"POST" + start + "Content-Length: 0\r\n", ""}},
		{"DELETE", "", 0, sent{"DELETE" + start, ""}},
	} {
		r := post(onlyReader{strings.NewReader(test.body)}, test.length)
		r.Method = test.method
		mustFetch(t, p, r)
		if s := <-got; s != test.want {
			t.Errorf("%s %q (%d) sent %q", test.method, test.body, test.length, s)
		}
	}
	if n := len(f.dialled()); n != 1 {
		t.Errorf("%d connections, want all on one", n)
	}
}

func TestRequestBodyThatFails(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) { c.untilClosed() })
	p := newPool(t, f, nil)
	_, _, err := fetch(p, post(onlyReader{strings.NewReader("abc")}, 5))
	wantKind(t, err, KindRequestBody)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short body fails with %v", err)
	}
	left := errors.New("the client left")
	body, w := io.Pipe()
	w.CloseWithError(left)
	_, _, err = fetch(p, post(body, -1))
	wantKind(t, err, KindRequestBody)
	if !errors.Is(err, left) {
		t.Errorf("error is %v", err)
	}
	if s := p.Status()[0]; s.Failures != 0 || s.State != StateHealthy {
		t.Errorf("the origin is blamed: %+v", s)
	}
}

// TestBodyIsNotReadAfterAnError: the origin goes away while the client is
// still sending.
func TestBodyIsNotReadAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) {
			c.head()
			pause(3500 * time.Millisecond)
		})
		p := newPool(t, f, nil)
		returned := false
		body := readerFunc(func(b []byte) (int, error) {
			if returned {
				t.Error("the body is read after Do returned")
			}
			pause(time.Second)
			if returned {
				t.Error("Do returned while the body was read")
			}
			return copy(b, "x"), nil
		})
		_, err := p.Do(t.Context(), post(body, -1))
		returned = true
		wantKind(t, err, KindClosed)
		pause(time.Minute)
	})
}

func TestOriginThatStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		stop := make(chan struct{})
		f.set("192.0.2.1:80", func(c *fakeConn) {
			c.head()
			<-stop
		})
		defer close(stop)
		p := newPool(t, f, nil)
		start := time.Now()
		_, _, err := fetch(p, post(onlyReader{strings.NewReader("hello")}, -1))
		wantKind(t, err, KindIdleTimeout)
		if took := time.Since(start); took != 60*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// slowReader is a client that sends a byte an hour.
type slowReader struct{ left int }

func (s *slowReader) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	pause(time.Hour)
	s.left--
	p[0] = 'x'
	return 1, nil
}

func TestSlowClientIsNotBlamedOnTheOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) {
			c.head()
			io.CopyN(io.Discard, c.r, 3)
			c.say(simple)
		})
		p := newPool(t, f, nil)
		mustFetch(t, p, post(&slowReader{left: 3}, 3))
	})
}

// TestExpectHoldsTheBodyBack covers the origin that asks for the body, the one
// that refuses it, and the one that has never heard of it.
func TestExpectHoldsTheBodyBack(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(c *fakeConn)
		status int
		reads  bool
		after  time.Duration
	}{
		{"asks", func(c *fakeConn) {
			pause(500 * time.Millisecond)
			c.say("HTTP/1.1 100 Continue\r\n\r\n")
			io.CopyN(io.Discard, c.r, 5)
			c.say(simple)
		}, 200, true, 500 * time.Millisecond},
		{"refuses", func(c *fakeConn) {
			c.say("HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}, 417, false, 0},
		{"ignores", func(c *fakeConn) {
			io.CopyN(io.Discard, c.r, 5)
			c.say(simple)
		}, 200, true, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNet()
				f.set("192.0.2.1:80", func(c *fakeConn) {
					if h := c.head(); !strings.Contains(h, "Expect: 100-continue\r\n") {
						t.Errorf("head %q", h)
					}
					test.answer(c)
				})
				p := newPool(t, f, nil)
				start := time.Now()
				var readAfter time.Duration = -1
				r := post(onlyReader{readerFunc(func(b []byte) (int, error) {
					if readAfter < 0 {
						readAfter = time.Since(start)
					}
					return copy(b, "hello"), nil
				})}, 5)
				r.Fields = r.Fields.Add("Expect", "100-continue")
				res, _ := mustFetch(t, p, r)
				if res.Status != test.status || (readAfter >= 0) != test.reads {
					t.Errorf("status %d, body read: %v", res.Status, readAfter >= 0)
				}
				if test.reads && readAfter != test.after {
					t.Errorf("body read after %v, want %v", readAfter, test.after)
				}
			})
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestTrailersBothWays(t *testing.T) {
	heads, trailers := make(chan string, 1), make(chan string, 1)
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		heads <- c.head()
		io.Copy(io.Discard, httputil.NewChunkedReader(c.r))
		trailers <- c.head()
		c.say("HTTP/1.1 200 OK\r\nTrailer: X-Said\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Said: 1\r\nA-New: 2\r\nX-Said: 3\r\n\r\n")
	})
	p := newPool(t, f, nil)
	r := post(strings.NewReader("hello"), -1)
	r.TrailerNames = []string{"x-sum", "Content-Length"}
	r.Trailer = func() field.Fields {
		return field.Fields{{Name: "X-Sum", Value: "7"}, {Name: "Content-Length", Value: "3"}, {Name: "Bad", Value: "a\r\nb"}}
	}
	res, err := p.Do(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if h := <-heads; !strings.Contains(h, "Trailer: X-Sum\r\n") {
		t.Errorf("head %q", h)
	}
	if got := <-trailers; got != "X-Sum: 7\r\n" {
		t.Errorf("trailers sent %q", got)
	}
	if got := res.Trailer(); got != nil {
		t.Errorf("trailers before the end of the body: %q", got)
	}
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	want := field.Fields{{Name: "A-New", Value: "2"}, {Name: "X-Said", Value: "1"}, {Name: "X-Said", Value: "3"}}
	if got := res.Trailer(); !slices.Equal(got, want) {
		t.Errorf("trailers received %q, want %q", got, want)
	}
}

func TestReadAfterCloseAndCloseDuringRead(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
		c.untilClosed()
	})
	p := newPool(t, f, nil)
	res, err := p.Do(context.Background(), get("/"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := res.Body.Read(make([]byte, 1))
		ended <- err
	}()
	res.Body.Close()
	if err := <-ended; err == nil || err == io.EOF {
		t.Errorf("a read that Close ends returns %v", err)
	}
	if _, err := res.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("a read after Close returns %v", err)
	}
	if s := p.Status()[0]; s.InFlight != 0 || s.Failures != 0 {
		t.Errorf("status %+v", s)
	}
}
