package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// conn is one HTTP/1.1 connection of a client that costs little: what it
// measures is the server.
type conn struct {
	net.Conn
	in   *bufio.Reader
	host string
	body []byte // of the last answer
	out  []byte
}

// callTimeout bounds one request: withdrawing a million objects one by one takes
// seconds.
const callTimeout = 2 * time.Minute

// maxAnswerBytes bounds the body of an answer.
const maxAnswerBytes = 4 << 20

func dial(address string) (*conn, error) {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return newConn(c, address), nil
}

func newConn(c net.Conn, host string) *conn {
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 16<<10), host: host}
}

// answer is a response. Its body is overwritten by the next.
type answer struct {
	status int
	cached bool // X-Cache says HIT
	body   []byte
}

func (c *conn) get(path string) (answer, error) { return c.do("GET", path, nil, "") }

// do sends a request and reads the answer. fields are whole lines.
func (c *conn) do(method, path string, fields []string, body string) (answer, error) {
	c.SetDeadline(time.Now().Add(callTimeout)) // it cannot fail on an open connection
	c.out = append(c.out[:0], method...)
	c.out = append(c.out, ' ')
	c.out = append(c.out, path...)
	c.out = append(c.out, " HTTP/1.1\r\nHost: "...)
	c.out = append(c.out, c.host...)
	for _, f := range fields {
		c.out = append(c.out, "\r\n"...)
		c.out = append(c.out, f...)
	}
	if body != "" {
		c.out = append(c.out, "\r\nContent-Length: "...)
		c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	}
	c.out = append(c.out, "\r\n\r\n"...)
	c.out = append(c.out, body...)
	if _, err := c.Write(c.out); err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	a, err := c.read()
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return a, nil
}

func (c *conn) read() (answer, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return answer{}, err
	}
	if len(line) < 12 {
		return answer{}, fmt.Errorf("%q is no status line", line)
	}
	a := answer{}
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return answer{}, fmt.Errorf("status line: %w", err)
	}
	length, chunked := -1, false
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return answer{}, err
		}
		if len(line) <= 2 {
			break
		}
		if !strings.ContainsRune("cCtTxX", rune(line[0])) {
			continue // none of those below, and hits should cost little here
		}
		name, value, _ := strings.Cut(string(line), ":")
		value = strings.TrimSpace(value)
		switch {
		case strings.EqualFold(name, "Content-Length"):
			if length, err = strconv.Atoi(value); err != nil {
				return answer{}, err
			}
		case strings.EqualFold(name, "Transfer-Encoding"):
			chunked = strings.EqualFold(value, "chunked")
		case strings.EqualFold(name, "X-Cache"):
			a.cached = strings.Contains(strings.ToUpper(value), "HIT")
		}
	}
	if chunked {
		a.body, err = readChunks(c.in)
		return a, err
	}
	if length < 0 || length > maxAnswerBytes {
		return answer{}, fmt.Errorf("an answer with a Content-Length of %d", length)
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	a.body = c.body[:length]
	_, err = io.ReadFull(c.in, a.body)
	return a, err
}

func readChunks(in *bufio.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(in), maxAnswerBytes))
	if err != nil {
		return nil, err
	}
	for { // trailers, of which nothing is wanted, and the empty line
		line, err := in.ReadSlice('\n')
		if err != nil || len(line) <= 2 {
			return body, err
		}
	}
}

// fetch gets an object and checks its status and body.
func (c *conn) fetch(o object) (sequence uint64, a answer, err error) {
	if a, err = c.get(o.path()); err != nil {
		return 0, a, err
	}
	if a.status != 200 {
		return 0, a, fmt.Errorf("%s: status %d", o.path(), a.status)
	}
	sequence, err = o.checkBody(a.body)
	return sequence, a, err
}
