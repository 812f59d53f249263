package server

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// A client that says with its last request that it sends no more gets the
// answer and then the end, at once, however many requests came before.
func TestHalfClosedConnectionsEndAfterTheAnswer(t *testing.T) {
	f := startFast(t, true, Config{})
	for before := range 4 {
		for range 50 { // the end comes with the request, or a little later
			c := f.connect()
			for range before {
				c.send(getFast, 0)
				c.wantAnswer("/fast", true)
			}
			c.sendLast(getFast)
			c.wantAnswer("/fast", true)
			c.wantNothingMore()
			if c.Close(); t.Failed() {
				t.Fatalf("after %d requests", before)
			}
		}
	}
}

// The same where the end has certainly arrived before the request is read: the
// one before is still being answered.
func TestHalfCloseThatArrivesWithTheRequest(t *testing.T) {
	for _, before := range []int{1, 2, 3} {
		entered, release := make(chan struct{}), make(chan struct{})
		f := start(t, true, Config{Fast: fastFunc(func(w FastWriter, r *FastRequest) bool {
			entered <- struct{}{}
			<-release
			answerFast(w, r, "GET /fast ")
			return true
		})})
		c := f.connect()
		for i := range before {
			c.send(getFast, 0)
			<-entered
			if i < before-1 {
				release <- struct{}{}
				c.wantAnswer("/fast", true)
			}
		}
		c.sendLast(getFast)
		release <- struct{}{}
		c.wantAnswer("/fast", true)
		<-entered
		release <- struct{}{}
		c.wantAnswer("/fast", true)
		c.wantNothingMore()
	}
}

// sendLast sends a request and the end of what the client sends, and gives the
// server much less time from now on than an idle connection has.
func (c *client) sendLast(request string) {
	c.t.Helper()
	_, err := io.WriteString(c.Conn, request)
	if err = errors.Join(err, c.Conn.(*net.TCPConn).CloseWrite()); err != nil {
		c.t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(defaultIdle / 5))
}

func (c *client) wantNothingMore() {
	c.t.Helper()
	if _, err := c.r.ReadByte(); err != io.EOF {
		c.t.Errorf("%v, not the end", err)
	}
}

// A connection that waits behind an answer ends at once when the server closes, or
// begins to drain.
func TestWaitingConnectionsCanBeEnded(t *testing.T) {
	for name, end := range map[string]func(f *fixture, c *client){
		"close": func(f *fixture, c *client) { f.Close() },
		"drain": func(f *fixture, c *client) { f.Shutdown(t.Context()) },
	} {
		f := startFast(t, true, Config{})
		c := f.connect()
		for range 3 {
			c.send(getFast, 0)
			c.wantAnswer("/fast", true)
		}
		c.SetReadDeadline(time.Now().Add(defaultIdle / 5))
		end(f, c)
		if c.wantNothingMore(); t.Failed() {
			t.Fatal(name)
		}
	}
}

// A client that takes nothing of a large answer does not keep the server from
// closing.
func TestCloseWhileAnAnswerWaitsForItsClient(t *testing.T) {
	h, entered := newCanned(64<<20), make(chan struct{}, 1)
	f := start(t, true, Config{Fast: fastFunc(func(w FastWriter, r *FastRequest) bool {
		entered <- struct{}{}
		return h.ServeFast(w, r)
	})})
	c := f.connect()
	c.send(getFast, 0)
	<-entered
	if _, err := c.r.Peek(1 << 10); err != nil { // the answer is on its way
		t.Fatal(err)
	}
	began := time.Now()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d > defaultWriteTimeout/2 {
		t.Errorf("after %v", d)
	}
}
