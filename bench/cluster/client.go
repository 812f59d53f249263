package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// connections are how many clients there are in all, each of which waits for a sync
// and an answer.
const connections = 64

// purge makes purges over one connection, as many as keep all of them at a rate,
// until the context ends.
func (n *node) purge(ctx context.Context, began time.Time, rate int, made *atomic.Uint64) error {
	c, err := dial(n.admin)
	if err != nil {
		return err
	}
	defer c.Close()
	for ctx.Err() == nil {
		number := made.Add(1)
		due := began.Add(time.Duration(number) * time.Second / time.Duration(rate))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			made.Add(^uint64(0)) // it was not made
			return nil
		}
		body := fmt.Sprintf(`{"service":"bench","keys":["key-%d"]}`, number)
		status, err := c.do(fmt.Sprintf("POST /v1/purges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		switch {
		case err != nil:
			return err
		case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
			made.Add(^uint64(0)) // refused, as it says
		case status >= 300:
			return fmt.Errorf("a purge was answered with %d", status)
		}
	}
	return nil
}

// hit asks for a stored page over one connection.
func (n *node) hit(ctx context.Context, done *atomic.Uint64) error {
	c, err := dial(n.http)
	if err != nil {
		return err
	}
	defer c.Close()
	for ctx.Err() == nil {
		status, err := c.do("GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("a page was answered with %d", status)
		}
		done.Add(1)
	}
	return nil
}

// client is a connection that costs little.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dial(address string) (*client, error) {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &client{c, bufio.NewReader(c)}, nil
}

// do sends a request and reads past the answer.
func (c *client) do(request string) (status int, err error) {
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(c, request); err != nil {
		return 0, err
	}
	a, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, a.Body)
	a.Body.Close()
	return a.StatusCode, err
}
