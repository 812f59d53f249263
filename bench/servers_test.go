package main

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestParseObject(t *testing.T) {
	for path, want := range map[string]object{
		"/hot/1k/0":       {"hot", 1024, 0},
		"/hot/64k/17":     {"hot", 65536, 17},
		"/full/100/12345": {"full", 100, 12345},
	} {
		got, err := parseObject(path)
		if err != nil || got != want || got.path() != path {
			t.Errorf("%s: %+v, %v, again %s", path, got, err, got.path())
		}
	}
	for _, path := range []string{"", "/", "/count", "/a/b/c", "/a/1k/-1", "/a/1/1", "/a/9999k/1", "/a/1k/1/2", "a/1k/1", "//1k/1"} {
		if got, err := parseObject(path); err == nil {
			t.Errorf("%q: %+v", path, got)
		}
	}
}

// The origin is asked by the client that measures: each holds the other.
func TestOrigin(t *testing.T) {
	at, err := freeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := serveOrigin(ctx, at[0]); err != nil {
			t.Error(err)
		}
	})
	defer serving.Wait()
	defer stop()
	c := dialSoon(t, at[0])
	defer c.Close()
	o := object{set: "hot", size: 1024, number: 2345}
	for want := range uint64(3) {
		if sequence, a, err := c.fetch(o); err != nil || sequence != want+1 || a.cached {
			t.Fatalf("%d, %+v, %v", sequence, a, err)
		}
	}
	if a, err := c.get("/nothing"); err != nil || a.status != 404 {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := c.get(countPath); err != nil || string(a.body) != "3" {
		t.Errorf("%q, %v", a.body, err)
	}
	if _, err := c.Write([]byte("GET " + o.path() + " HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 400)
	n, err := c.in.Read(head)
	if want := "Surrogate-Key: object-hot-2345 group-hot-2 set-hot\r\n"; err != nil || !strings.Contains(string(head[:n]), want) {
		t.Errorf("no %q in %q, %v", want, head[:n], err)
	}
}

// dialSoon connects to a server that is about to listen.
func dialSoon(t *testing.T, address string) *conn {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		c, err := dial(address)
		if err == nil {
			return c
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestConnReads(t *testing.T) {
	for _, c := range []struct {
		answer string
		body   string // "": an error
		cached bool
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Cache: HIT\r\n\r\nok", "ok", true},
		{"HTTP/1.1 200 OK\r\nx-cache: MISS\r\ncontent-length: 2\r\n\r\nok", "ok", false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\n ok\r\n0\r\nX: y\r\n\r\n", "ok ok", false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "", false},
		{"HTTP/1.1 200 OK\r\n\r\n", "", false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "", false},
		{"nonsense\r\n\r\n", "", false},
		{"", "", false},
	} {
		near, far := net.Pipe()
		var sending sync.WaitGroup
		sending.Go(func() {
			far.Write([]byte(c.answer))
			far.Close()
		})
		client := newConn(near, "test")
		a, err := client.read()
		near.Close()
		sending.Wait()
		if (err != nil) != (c.body == "") || string(a.body) != c.body && err == nil || a.cached != c.cached {
			t.Errorf("%q: %q, %v, %v", c.answer, a.body, a.cached, err)
		}
	}
}

func TestCheckBody(t *testing.T) {
	o := object{set: "hot", size: 100}
	body := o.appendBody(nil, 42)
	if got, err := o.checkBody(body); err != nil || got != 42 {
		t.Errorf("%d, %v", got, err)
	}
	other := append([]byte(nil), body...)
	other[50] ^= 1
	for _, bad := range [][]byte{nil, body[:99], append(body[:100:100], 'x'), other, []byte(strings.Repeat("z", 100))} {
		if _, err := o.checkBody(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}
