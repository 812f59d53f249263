package server

import (
	"io"
	"testing"
	"testing/synctest"
)

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{})
		want := func(when string, want Stats) {
			t.Helper()
			synctest.Wait()
			if got := f.Stats(); got != want {
				t.Errorf("%s: %+v, want %+v", when, got, want)
			}
		}
		want("before anything", Stats{})
		c := f.connect()
		want("a connection", Stats{Open: 1, Accepted: 1})
		c.send(get+get, 0)
		c.response()
		c.response()
		want("two requests", Stats{Open: 1, Accepted: 1, HTTP1Requests: 2})
		c.send("GET / HTTP/1.1\n\n", 0)
		c.response()
		c.wantEnd()
		want("a refusal", Stats{Accepted: 1, HTTP1Requests: 2, Refused: 1})

		client := f.http2Client(false)
		r, err := client.Get("http://a.example/")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
		want("HTTP/2", Stats{Open: 1, Accepted: 2, HTTP1Requests: 2, HTTP2Requests: 1, Refused: 1})
		client.CloseIdleConnections()
		want("the end", Stats{Accepted: 2, HTTP1Requests: 2, HTTP2Requests: 1, Refused: 1})
	})
}

func TestFailedHandshakesAreCounted(t *testing.T) {
	cfg := tlsConfig(t)
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, cfg)
		for _, first := range []string{get, "\x16\x03\x01\x00\x01\x00"} {
			c := f.connect()
			c.send(first, 0)
			io.Copy(io.Discard, c)
		}
		synctest.Wait()
		if got, want := f.Stats(), (Stats{Accepted: 2, HandshakeFailures: 2, Refused: 1}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}
