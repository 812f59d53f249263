//go:build e2e

package test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// open asks for a path and returns the response as soon as its head is there.
func (n *node) open(path string) *http.Response {
	n.t.Helper()
	c := n.dial()
	c.write("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
	return c.response()
}

// rawClient is a connection on which a test writes what no client would.
type rawClient struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

// dial connects to the node until the test ends.
func (n *node) dial() *rawClient {
	n.t.Helper()
	conn, err := net.Dial("tcp", n.http)
	if err != nil {
		n.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	n.t.Cleanup(func() { conn.Close() })
	return &rawClient{n.t, conn, bufio.NewReader(conn)}
}

func (c *rawClient) write(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatal(err)
	}
}

// response reads the head of a response to a GET.
func (c *rawClient) response() *http.Response {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return response
}

// answer reads a whole response to a GET.
func (c *rawClient) answer() answer {
	c.t.Helper()
	response := c.response()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, trailer: response.Trailer, body: body}
}

// closed reads to the end of the connection and returns what came.
func (c *rawClient) closed() string {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	if err != nil {
		c.t.Fatalf("the connection did not end: %v", err)
	}
	return string(rest)
}
