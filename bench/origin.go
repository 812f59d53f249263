package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// origin answers GET by the path: /SET/SIZE/NUMBER, with SIZE as 100, 1k or 64k.
// Every answer is fresh for a day, is numbered in the first bytes of its body,
// and carries three surrogate keys: its own, that of its group of groupSize
// objects, and that of the set. It speaks just as much HTTP as the servers under
// test, because net/http would be the bottleneck of the misses.
type origin struct {
	answered atomic.Uint64
	date     atomic.Pointer[string]
}

// groupSize is how many objects share a key of the middle kind.
const groupSize = 1000

// sequenceBytes is the length of the number that a body begins with.
const sequenceBytes = 16

// countPath answers how many objects the origin has sent.
const countPath = "/count"

// maxObjectBytes bounds SIZE: nothing measured is larger.
const maxObjectBytes = 1 << 20

// serveOrigin answers on an address until the context ends.
func serveOrigin(ctx context.Context, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	o := &origin{}
	o.tick()
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	all.Go(func() {
		for second := time.NewTicker(time.Second); ; o.tick() {
			select {
			case <-second.C:
			case <-ctx.Done():
				second.Stop()
				l.Close()
				return
			}
		}
	})
	for {
		conn, err := l.Accept()
		if err != nil {
			stop()
			all.Wait()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		all.Go(func() { o.serve(ctx, conn) })
	}
}

func (o *origin) tick() {
	date := time.Now().UTC().Format(http.TimeFormat)
	o.date.Store(&date)
}

func (o *origin) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in := bufio.NewReader(conn)
	var out []byte
	for {
		path, err := readTarget(in)
		if err != nil {
			return
		}
		if out, err = o.appendAnswer(out[:0], path); err != nil {
			out = append(out[:0], "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"...)
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// readTarget reads a request without a body and returns its target.
func readTarget(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(string(line), " ")
	target, _, _ := strings.Cut(rest, " ")
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return "", err
		}
		if len(line) <= 2 {
			return target, nil
		}
	}
}

func (o *origin) appendAnswer(out []byte, path string) ([]byte, error) {
	if path == countPath {
		count := strconv.FormatUint(o.answered.Load(), 10)
		return fmt.Appendf(out, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(count), count), nil
	}
	obj, err := parseObject(path)
	if err != nil {
		return out, err
	}
	out = append(out, "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: "...)
	out = append(out, *o.date.Load()...)
	out = append(out, "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(obj.size), 10)
	out = append(out, "\r\nCache-Control: public, max-age=86400\r\nLast-Modified: Mon, 02 Nov 2026 08:00:00 GMT\r\nETag: \""...)
	out = strconv.AppendInt(out, int64(obj.number), 16)
	out = append(out, "-5f3c\"\r\nSurrogate-Key: "...)
	out = append(out, obj.key()...)
	out = append(out, ' ')
	out = append(out, obj.groupKey()...)
	out = append(out, ' ')
	out = append(out, setKey(obj.set)...)
	for i := range obj.moreKeys() {
		out = append(out, " more-"...)
		out = strconv.AppendInt(out, int64(i), 10)
		out = append(out, '-')
		out = strconv.AppendInt(out, int64(obj.number%(groupSize*(i+1))), 10)
	}
	out = append(out, "\r\n\r\n"...)
	return obj.appendBody(out, o.answered.Add(1)), nil
}
