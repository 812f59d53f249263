package origin

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestFramingIsReported(t *testing.T) {
	for _, test := range []struct {
		name, method, response, body string
		length                       int64
		closeDelimited               bool
		ambiguity                    Ambiguity
	}{
		{"length", "GET", simple, "ok", 2, false, Unambiguous},
		{"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok", -1, false, Unambiguous},
		{"neither", "GET", "HTTP/1.1 200 OK\r\n\r\nok", "ok", -1, true, Unambiguous},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\n\r\nok", "ok", -1, true, Unambiguous},
		{"both", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "abc", -1, false, BothLengths},
		{"repeated", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "ok", 2, false, RepeatedLength},
		{"bare LF", "GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "ok", 2, false, BareLF},
		{"one bare LF", "GET", "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\r\nok", "ok", 2, false, BareLF},
		{"HEAD with length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "", 7, false, Unambiguous},
		{"HEAD without", "HEAD", "HTTP/1.1 200 OK\r\n\r\n", "", -1, false, Unambiguous},
		{"HEAD chunked", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", -1, false, Unambiguous},
		{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", 0, false, Unambiguous},
		{"304 with length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "", 0, false, Unambiguous},
		{"empty", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", 0, false, Unambiguous},
		{"unknown status", "GET", "HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nok", "ok", 2, false, Unambiguous},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeNet()
			f.set("192.0.2.1:80", func(c *fakeConn) {
				c.head()
				c.say(test.response)
			})
			p := newPool(t, f, nil)
			r := get("/")
			r.Method = test.method
			res, body := mustFetch(t, p, r)
			if body != test.body || res.ContentLength != test.length {
				t.Errorf("body %q, ContentLength %d", body, res.ContentLength)
			}
			if res.CloseDelimited != test.closeDelimited || res.Ambiguity != test.ambiguity {
				t.Errorf("CloseDelimited %v, %v", res.CloseDelimited, res.Ambiguity)
			}
			if s := p.Status()[0]; s.InFlight != 0 || s.Exchanges != 1 || s.Failures != 0 {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// TestResponseLeftOverFromAnotherExchange poisons the connection: the bytes
// after the first body look like a response, and must answer nobody.
func TestResponseLeftOverFromAnotherExchange(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		for c.head() != "" {
			c.say(simple + "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned")
		}
	})
	p := newPool(t, f, nil)
	for i := range 50 {
		if _, body, err := fetch(p, get("/")); err == nil && body != "ok" {
			t.Fatalf("request %d was answered with %q", i, body)
		}
	}
}

// TestHeadsWithoutContentAreNotMixedUp: a connection goes to the next exchange
// as soon as a response without content is there. Whoever that was for must get
// its head, and not that of the next exchange or none.
func TestHeadsWithoutContentAreNotMixedUp(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		for line := c.head(); line != ""; line = c.head() {
			_, rest, _ := strings.Cut(line, " ")
			target, _, _ := strings.Cut(rest, " ")
			c.say("HTTP/1.1 301 Moved Permanently\r\nContent-Length: 0\r\nLocation: " + target + "\r\n\r\n")
		}
	})
	p := newPool(t, f, nil)
	var asking sync.WaitGroup
	for i := range 50 {
		asking.Go(func() {
			for j := range 40 {
				target := fmt.Sprintf("/%d/%d", i, j)
				res, _, err := fetch(p, get(target))
				if err != nil {
					t.Errorf("%s: %v", target, err)
				} else if to, _ := res.Fields.Get("Location"); to != target {
					t.Errorf("%s was told %s", target, to)
				}
			}
		})
	}
	asking.Wait()
}

// TestBytesOnAnIdleConnection: a connection on which an origin says something
// unasked is given up, and the next request does not suffer.
func TestBytesOnAnIdleConnection(t *testing.T) {
	f := overSockets()
	said := make(chan struct{}, 2)
	f.set("192.0.2.1:80", func(c *fakeConn) {
		c.head()
		c.say(simple)
		if c.n == 1 {
			c.say("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned")
			said <- struct{}{}
			return
		}
		c.untilClosed()
	})
	p := newPool(t, f, nil)
	mustFetch(t, p, get("/"))
	<-said
	if _, body := mustFetch(t, p, get("/")); body != "ok" {
		t.Errorf("second request was answered with %q", body)
	}
}

// TestContentThatComesTooLate: where it is doubtful whether content follows a
// response, it may come when the next request is on its way. It must not answer
// that.
func TestContentThatComesTooLate(t *testing.T) {
	poison := "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned"
	for name, response := range map[string]string{
		"204 with a length": fmt.Sprintf("HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n", len(poison)),
		"204 in chunks":     "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
		"both lengths":      fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n", len(poison)+5),
	} {
		t.Run(name, func(t *testing.T) {
			f := overSockets()
			f.set("192.0.2.1:80", func(c *fakeConn) {
				c.head()
				if c.n > 1 {
					c.say(simple)
					return
				}
				c.say(response)
				if c.head() != "" {
					c.say(poison)
				}
			})
			p := newPool(t, f, nil)
			mustFetch(t, p, get("/"))
			if _, body := mustFetch(t, p, get("/")); body != "ok" {
				t.Errorf("the next request is answered with %q", body)
			}
		})
	}
}
