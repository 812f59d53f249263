package origin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// fakeNet is a network in memory: an address either serves connections with a
// script, or refuses them.
type fakeNet struct {
	sockets bool // connections are of TCP, which buffers and can be looked at
	mu      struct {
		sync.Mutex
		scripts map[string]script
		dials   []string // addresses, in order
	}
}

// script is what an origin does on one connection, which is closed after it.
// It returns soon after the peer has closed.
type script func(c *fakeConn)

// fakeConn is the origin's end of a connection.
type fakeConn struct {
	net.Conn
	r *bufio.Reader
	n int // of this connection at its address, from 1
}

func newFakeNet() *fakeNet {
	f := &fakeNet{}
	f.mu.scripts = make(map[string]script)
	return f
}

func (f *fakeNet) set(address string, s script) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.scripts[address] = s
}

func (f *fakeNet) dialled() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.mu.dials...)
}

func (f *fakeNet) dial(ctx context.Context, network, address string) (net.Conn, error) {
	f.mu.Lock()
	s, ok := f.mu.scripts[address]
	f.mu.dials = append(f.mu.dials, address)
	n := 0
	for _, a := range f.mu.dials {
		if a == address {
			n++
		}
	}
	f.mu.Unlock()
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	if s == nil { // a host that does not answer
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ours, theirs := net.Pipe()
	if f.sockets {
		var err error
		if ours, theirs, err = loopback(); err != nil {
			return nil, err
		}
	}
	go func() {
		defer theirs.Close()
		s(&fakeConn{Conn: theirs, r: bufio.NewReader(theirs), n: n})
	}()
	return ours, nil
}

// loopback returns the ends of a TCP connection.
func loopback() (ours, theirs net.Conn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if ours, err = net.Dial("tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if theirs, err = l.Accept(); err != nil {
		ours.Close()
	}
	return ours, theirs, err
}

// head reads a request head, without its last empty line; "" at the end.
func (c *fakeConn) head() string {
	var b strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return ""
		}
		if line == "\r\n" {
			return b.String()
		}
		b.WriteString(line)
	}
}

func (c *fakeConn) say(s string) { io.WriteString(c, s) }

// untilClosed waits until the pool closes the connection.
func (c *fakeConn) untilClosed() { io.Copy(io.Discard, c.r) }

// answering serves any number of requests without body, each with one answer.
func answering(answer string) script {
	return func(c *fakeConn) {
		for c.head() != "" {
			c.say(answer)
		}
	}
}

const simple = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// resetConn fails with a reset instead of the end.
type resetConn struct{ net.Conn }

func (c resetConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == io.EOF {
		err = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return n, err
}

// overSockets is a fakeNet of TCP.
func overSockets() *fakeNet {
	f := newFakeNet()
	f.sockets = true
	return f
}

// listen serves each connection to an address of the loopback until the test ends.
func listen(t *testing.T, serve func(c net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

func newPool(t *testing.T, f *fakeNet, change func(*Config)) *Pool {
	t.Helper()
	cfg := Config{Origins: []Endpoint{{URL: "http://192.0.2.1"}}, Dial: f.dial}
	if change != nil {
		change(&cfg)
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func get(raw string) *Request {
	path, query, hasQuery := field.SplitRaw(raw)
	return &Request{
		Method: "GET",
		Target: field.Target{Scheme: "http", Host: "www.example.com", Path: path, Query: query, HasQuery: hasQuery},
		Host:   "www.example.com",
	}
}

// fetch makes a request and reads the whole response.
func fetch(p *Pool, r *Request) (*Response, string, error) {
	res, err := p.Do(context.Background(), r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func mustFetch(t *testing.T, p *Pool, r *Request) (*Response, string) {
	t.Helper()
	res, body, err := fetch(p, r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.Target.Raw(), err)
	}
	return res, body
}

func kindOf(err error) Kind {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return 0
	}
	return e.Kind
}

func wantKind(t *testing.T, err error, want Kind) {
	t.Helper()
	if got := kindOf(err); got != want {
		t.Fatalf("error is %v (kind %v), want kind %v", err, got, want)
	}
}

// fakeResolver answers from a table that a test can change.
type fakeResolver struct {
	mu    sync.Mutex
	hosts map[string][]string
	calls int
}

func (r *fakeResolver) set(host string, addresses ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hosts == nil {
		r.hosts = make(map[string][]string)
	}
	r.hosts[host] = addresses
}

func (r *fakeResolver) LookupHost(_ context.Context, host string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if len(r.hosts[host]) == 0 {
		return nil, fmt.Errorf("no such host %q", host)
	}
	return r.hosts[host], nil
}

// pause lets virtual time pass, for use inside a synctest bubble only: the
// origins of these tests take time, as real ones do.
func pause(d time.Duration) { <-time.After(d) }
