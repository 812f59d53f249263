package origin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestEachFailureHasItsKind lets an origin fail in every way there is, without
// retries, and asks what the caller is told and after what time.
func TestEachFailureHasItsKind(t *testing.T) {
	says := func(s string) script {
		return func(c *fakeConn) {
			c.head()
			c.say(s)
		}
	}
	hangsAfter := func(s string) script {
		return func(c *fakeConn) {
			c.head()
			c.say(s)
			c.untilClosed()
		}
	}
	endless := func(start, again string) script {
		return func(c *fakeConn) {
			c.head()
			c.say(start)
			for {
				if _, err := io.WriteString(c, strings.Repeat(again, 100)); err != nil {
					return
				}
			}
		}
	}
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, test := range []struct {
		name   string
		origin script
		want   Kind
		after  time.Duration
		inBody string // "": the head fails; else what arrives of the body, then the failure
	}{
		{"does not answer a connection", nil, KindConnectTimeout, 3 * time.Second, ""},
		{"hangs before the head", hangsAfter(""), KindFirstByteTimeout, 60 * time.Second, ""},
		{"hangs inside the head", hangsAfter(ok + "Server: s"), KindFirstByteTimeout, 60 * time.Second, ""},
		{"hangs inside a body", hangsAfter(ok + "Content-Length: 9\r\n\r\nabc"), KindIdleTimeout, 60 * time.Second, "abc"},
		{"hangs inside chunks", hangsAfter(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), KindIdleTimeout, 60 * time.Second, "abc"},
		{"hangs in a body without length", hangsAfter(ok + "\r\nabc"), KindIdleTimeout, 60 * time.Second, "abc"},
		{"closes at once", says(""), KindClosed, 0, ""},
		{"closes inside the head", says(ok + "Server: s"), KindClosed, 0, ""},
		{"closes after an interim head", says("HTTP/1.1 103 Early Hints\r\n\r\n"), KindClosed, 0, ""},
		{"closes inside a body", says(ok + "Content-Length: 9\r\n\r\nabc"), KindTruncated, 0, "abc"},
		{"closes between chunks", says(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), KindTruncated, 0, "abc"},
		{"closes inside a chunk", says(ok + "Transfer-Encoding: chunked\r\n\r\n9\r\nabc"), KindTruncated, 0, "abc"},
		{"closes before the trailers end", says(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n"), KindTruncated, 0, "abc"},
		{"malformed chunk", hangsAfter(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"), KindGarbage, 0, "abc"},
		{"not HTTP", hangsAfter("220 mail ready\r\n\r\n"), KindGarbage, 0, ""},
		{"speaks first", func(c *fakeConn) { c.say("SSH-2.0-x\r\n"); c.untilClosed() }, KindGarbage, 0, ""},
		{"HTTP/2 to an HTTP/1 request", hangsAfter("HTTP/2.0 200 OK\r\n\r\n"), KindGarbage, 0, ""},
		{"status out of range", hangsAfter("HTTP/1.1 099 Odd\r\n\r\n"), KindGarbage, 0, ""},
		{"field name with a space", hangsAfter(ok + "bad name: x\r\nContent-Length: 0\r\n\r\n"), KindGarbage, 0, ""},
		{"space before the colon", hangsAfter(ok + "Content-Length : 0\r\n\r\n"), KindGarbage, 0, ""},
		{"field value with a control character", hangsAfter(ok + "A: b\x00c\r\nContent-Length: 0\r\n\r\n"), KindGarbage, 0, ""},
		{"CR inside a line", hangsAfter(ok + "A: b\rc\r\nContent-Length: 0\r\n\r\n"), KindGarbage, 0, ""},
		{"folded line", hangsAfter(ok + "A: b\r\n c\r\nContent-Length: 0\r\n\r\n"), KindGarbage, 0, ""},
		{"lengths that differ", hangsAfter(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), KindGarbage, 0, ""},
		{"length that is a list", hangsAfter(ok + "Content-Length: 2, 2\r\n\r\nab"), KindGarbage, 0, ""},
		{"length that is no number", hangsAfter(ok + "Content-Length: +2\r\n\r\nab"), KindGarbage, 0, ""},
		{"unknown transfer coding", hangsAfter(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n"), KindGarbage, 0, ""},
		{"transfer coding in HTTP/1.0", hangsAfter("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), KindGarbage, 0, ""},
		{"malformed interim head", hangsAfter("HTTP/1.1 103 Early Hints\r\na b: c\r\n\r\n" + simple), KindGarbage, 0, ""},
		{"switches protocols unasked", hangsAfter("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), KindGarbage, 0, ""},
		{"endless head line", endless(ok, "x"), KindTooLarge, 0, ""},
		{"endless fields", endless(ok, "A: b\r\n"), KindTooLarge, 0, ""},
		{"too many fields", hangsAfter(ok + strings.Repeat("A:\r\n", maxFieldLines+1) + "\r\n"), KindTooLarge, 0, ""},
		{"endless interim responses", endless("", "HTTP/1.1 103 Early Hints\r\n\r\n"), KindTooLarge, 0, ""},
	} {
		try := func(t *testing.T, f *fakeNet) {
			f.set("192.0.2.1:80", test.origin)
			p := newPool(t, f, func(c *Config) { c.Retries = -1 })
			_, body, err := fetch(p, get("/"))
			wantKind(t, err, test.want)
			if body != test.inBody {
				t.Errorf("body %q, want %q", body, test.inBody)
			}
			if e := err.(*Error); e.Origin != "http://192.0.2.1" || e.Address != "192.0.2.1:80" {
				t.Errorf("error names %q at %q", e.Origin, e.Address)
			}
			if got := errors.Is(err, io.ErrUnexpectedEOF); got != (test.want == KindTruncated) {
				t.Errorf("errors.Is(%v, io.ErrUnexpectedEOF) is %v", err, got)
			}
		}
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				try(t, newFakeNet())
				if took := time.Since(start); took != test.after {
					t.Errorf("took %v, want %v", took, test.after)
				}
			})
		})
		if test.after == 0 {
			t.Run(test.name+" over TCP", func(t *testing.T) { try(t, overSockets()) })
		}
	}
}

func TestDownOrigin(t *testing.T) {
	p := newPool(t, newFakeNet(), nil)
	_, _, err := fetch(p, get("/"))
	wantKind(t, err, KindConnect)
	if got, want := err.Error(), "origin http://192.0.2.1 (192.0.2.1:80): connect: dial tcp: connection refused; "+
		"check that the origin runs and listens on this address"; got != want {
		t.Errorf("error reads\n%s, want\n%s", got, want)
	}
}

func TestResetsAreClosedBeforeAndTruncatedInsideABody(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		if c.head(); c.n == 2 {
			c.say("HTTP/1.1 200 OK\r\n\r\nabc")
		}
	})
	p := newPool(t, f, func(c *Config) {
		c.Retries = -1
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := f.dial(ctx, network, address)
			return resetConn{conn}, err
		}
	})
	_, _, err := fetch(p, get("/"))
	wantKind(t, err, KindClosed)
	// Without length a clean end would be the end of the body; a reset is not.
	_, body, err := fetch(p, get("/"))
	wantKind(t, err, KindTruncated)
	if body != "abc" {
		t.Errorf("body %q", body)
	}
}

func TestHundredMegabytesWithoutLength(t *testing.T) {
	const size = 100 << 20
	block := bytes.Repeat([]byte("x"), 1<<20)
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\n\r\n")
		for range size / len(block) {
			c.Write(block)
		}
	})
	p := newPool(t, f, nil)
	res, err := p.Do(t.Context(), get("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if !res.CloseDelimited || res.ContentLength != -1 {
		t.Errorf("CloseDelimited %v, ContentLength %d", res.CloseDelimited, res.ContentLength)
	}
	if n, err := io.Copy(io.Discard, res.Body); n != size || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func TestSlowButSteadyIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) {
			c.head()
			for range 3 { // an interim response is a sign of life
				pause(50 * time.Second)
				c.say("HTTP/1.1 102 Processing\r\n\r\n")
			}
			pause(50 * time.Second)
			c.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
			for range 5 {
				pause(50 * time.Second)
				c.say("x")
			}
		})
		p := newPool(t, f, nil)
		if _, body := mustFetch(t, p, get("/")); body != "xxxxx" {
			t.Errorf("body %q", body)
		}
	})
}

func TestSlowReaderIsNotBlamedOnTheOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"))
		p := newPool(t, f, nil)
		res, err := p.Do(t.Context(), get("/"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		for i := range 6 {
			pause(time.Hour)
			var b [1]byte
			if _, err := io.ReadFull(res.Body, b[:]); err != nil {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	})
}
