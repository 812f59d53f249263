package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/internal/event"
)

// pipes is a listener of in-memory connections.
type pipes struct {
	from   net.Addr // of the clients; nil for no address
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// dial returns a connection, or net.ErrClosed.
func (p *pipes) dial(context.Context) (net.Conn, error) {
	ours, server := net.Pipe()
	theirs := net.Conn(server)
	if p.from != nil {
		theirs = addressed{server, p.from}
	}
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// addressed is a connection from a given address.
type addressed struct {
	net.Conn
	from net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.from }
func (a addressed) LocalAddr() net.Addr  { return ourAddr }

var ourAddr = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 80}

// fixture is a running Server with everything that it was seen to do.
type fixture struct {
	t *testing.T
	*Server
	dial func(context.Context) (net.Conn, error)

	mu      sync.Mutex
	seen    []string // "METHOD target body" of each request that was handled
	refused []event.Refused
}

// start runs a Server on an in-memory listener, or on TCP.
func start(t *testing.T, tcp bool, cfg Config) *fixture {
	t.Helper()
	f := &fixture{t: t}
	if cfg.Handler == nil {
		cfg.Handler = http.HandlerFunc(f.echo)
	}
	cfg.Refused = func(r event.Refused) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.refused = append(f.refused, r)
	}
	memory := newPipes()
	memory.from = cfg.clients()
	switch {
	case len(cfg.HTTPS) > 0:
		if !tcp {
			cfg.HTTPS[0].Listener = memory
		}
	case len(cfg.HTTPListeners) > 0:
		cfg.HTTPListeners[0].Address = "127.0.0.1:0"
		if !tcp {
			cfg.HTTPListeners[0].Listener = memory
		}
	case tcp:
		cfg.HTTP = []string{"127.0.0.1:0"}
	default:
		cfg.HTTPListeners = []Listener{{Listener: memory}}
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f.Server, f.dial = s, memory.dial
	if tcp {
		f.dial = func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", s.Addrs()[0].String())
		}
	}
	return f
}

// clients returns the address that in-memory clients have: one is needed where
// it is looked at.
func (c Config) clients() net.Addr {
	for _, l := range c.HTTPListeners {
		if l.ProxyFrom != nil {
			return balancerAddr
		}
	}
	for _, l := range c.HTTPS {
		if l.ProxyFrom != nil {
			return balancerAddr
		}
	}
	return nil
}

// echo records a request and answers with its method, target and body.
func (f *fixture) echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	line := r.Method + " " + r.RequestURI + " " + string(body)
	f.note(line)
	if err != nil {
		http.Error(w, "cannot read the body", http.StatusBadRequest)
		return
	}
	io.WriteString(w, line)
}

func (f *fixture) note(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, line)
}

func (f *fixture) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.seen...)
}

func (f *fixture) refusals() []event.Refused {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]event.Refused(nil), f.refused...)
}

func (f *fixture) handled(target string) bool {
	for _, r := range f.requests() {
		if strings.Contains(r, target) {
			return true
		}
	}
	return false
}

// client is the other end of a connection.
type client struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func (f *fixture) connect() *client {
	f.t.Helper()
	c, err := f.dial(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.Close() })
	return &client{Conn: c, t: f.t, r: bufio.NewReader(c)}
}

// send writes in the background, size bytes at a time, all at once where size
// is 0. Writing to a pipe waits for the reader, who may refuse meanwhile.
func (c *client) send(s string, size int) {
	if size == 0 {
		size = len(s)
	}
	done := make(chan struct{})
	c.t.Cleanup(func() { c.Close(); <-done })
	go func() {
		defer close(done)
		for len(s) > 0 {
			n, err := io.WriteString(c.Conn, s[:min(size, len(s))])
			if err != nil {
				return
			}
			s = s[n:]
		}
	}()
}

// response reads one response with its body.
func (c *client) response() (*http.Response, string) {
	c.t.Helper()
	r, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("no response: %v", err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatalf("response body: %v", err)
	}
	return r, string(body)
}

// wantEnd reads the end of the connection.
func (c *client) wantEnd() {
	c.t.Helper()
	rest, _ := io.ReadAll(c.r)
	if len(rest) > 0 {
		c.t.Errorf("the server sent more: %q", rest)
	}
}

const get = "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n"
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"
