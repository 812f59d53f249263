//go:build e2e

package test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// rawOrigin is an origin whose answers are written byte for byte.
type rawOrigin struct {
	t       *testing.T
	l       net.Listener
	scripts map[string]script // by path
	anyPath script            // for every other path; nil: 404

	mu struct {
		sync.Mutex
		asked map[string]int // by path
		open  map[net.Conn]bool
	}
	running sync.WaitGroup
}

// script answers one request. It returns whether the connection stays open.
type script func(c *exchange) (keep bool)

// exchange is a request to a rawOrigin and the connection for its answer.
type exchange struct {
	*http.Request
	conn net.Conn
	in   *bufio.Reader
}

// startRaw runs an origin until the test ends.
func startRaw(t *testing.T, scripts map[string]script) *rawOrigin {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &rawOrigin{t: t, l: l, scripts: scripts}
	o.mu.asked = map[string]int{}
	o.mu.open = map[net.Conn]bool{}
	o.running.Go(o.accept)
	t.Cleanup(o.close)
	return o
}

func (o *rawOrigin) url() string { return "http://" + o.l.Addr().String() }

// asked returns how many requests for a path have arrived.
func (o *rawOrigin) asked(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.asked[path]
}

// connections returns how many connections are open.
func (o *rawOrigin) connections() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.mu.open)
}

func (o *rawOrigin) accept() {
	for {
		conn, err := o.l.Accept()
		if err != nil {
			return
		}
		o.mu.Lock()
		o.mu.open[conn] = true
		o.mu.Unlock()
		o.running.Go(func() { o.serve(conn) })
	}
}

func (o *rawOrigin) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		o.mu.Lock()
		delete(o.mu.open, conn)
		o.mu.Unlock()
	}()
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		o.mu.Lock()
		o.mu.asked[r.URL.Path]++
		o.mu.Unlock()
		answer := o.scripts[r.URL.Path]
		if answer == nil {
			answer = o.anyPath
		}
		if answer == nil {
			answer = says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		}
		if !answer(&exchange{r, conn, in}) {
			return
		}
		io.Copy(io.Discard, r.Body)
	}
}

func (o *rawOrigin) close() {
	o.l.Close()
	o.mu.Lock()
	for conn := range o.mu.open {
		conn.Close()
	}
	o.mu.Unlock()
	o.running.Wait()
}

// say writes to the node. What it says of a connection that the node has
// closed does not matter.
func (x *exchange) say(text string) { io.WriteString(x.conn, text) }

// says is a script that answers always the same and keeps the connection.
func says(text string) script {
	return func(x *exchange) bool {
		x.say(text)
		return true
	}
}

// saysAndCloses is a script that answers always the same and closes.
func saysAndCloses(text string) script {
	return func(x *exchange) bool {
		x.say(text)
		return false
	}
}

// whole is a response that may be stored, with a body of known length.
func whole(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}
