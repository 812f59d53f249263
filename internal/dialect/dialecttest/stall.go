package dialecttest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// Stall sends a request that never ends to a handler behind a server that waits
// for it only so long, and returns the answer. It must be called in a bubble of
// testing/synctest, whose time passes at once.
func Stall(t testing.TB, h http.Handler, raw string, patience time.Duration) Answer {
	t.Helper()
	conn, end := Serve(t, &http.Server{Handler: h, ReadTimeout: patience})
	defer end()
	go io.WriteString(conn, Wire(raw)) // ends when the connection is closed
	answer := ReadAnswer(t, bufio.NewReader(conn))
	time.Sleep(time.Second) // a server lingers on a connection with a rest of a body
	return answer
}

// Serve returns a connection in memory to a server, and what ends both.
func Serve(t testing.TB, server *http.Server) (conn net.Conn, end func()) {
	t.Helper()
	conn, theirs := net.Pipe()
	l := &oneListener{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conn <- theirs
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	return conn, func() {
		conn.Close()
		server.Close()
		<-served
	}
}

// ReadAnswer reads one response to its end.
func ReadAnswer(t testing.TB, from *bufio.Reader) Answer {
	t.Helper()
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{resp.StatusCode, resp.Header, string(body)}
}

// oneListener is a net.Listener with one connection.
type oneListener struct {
	conn   chan net.Conn
	closed chan struct{}
}

func (l *oneListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *oneListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
