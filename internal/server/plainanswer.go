package server

import (
	"errors"
	"net"
	"strconv"

	"github.com/rescind-edge/rescind/internal/field"
)

var (
	errNotBegun  = errors.New("server: content before the head of an answer, or behind its end")
	errTooLong   = errors.New("server: more content than the head says")
	errTooShort  = errors.New("server: less content than the head says")
	errBegunLate = errors.New("server: a head behind the beginning of an answer")
)

// plainAnswer is the answer of a PlainHandler on its way.
//
// What is small is collected, so that a head leaves together with its content;
// what is not leaves from where it lies, in clear, or else through the buffer,
// so that a TLS record is filled.
type plainAnswer struct {
	conn    *conn
	begun   bool
	ended   bool
	chunked bool
	left    int64 // of the content, where it is not chunked
	err     error

	pooled *copyBuffer
	buf    []byte // collected, in pooled
	line   [20]byte
	parts  [4][]byte
	vector net.Buffers
}

var chunkEnd = []byte("\r\n")

func (a *plainAnswer) release() {
	a.forget()
	*a = plainAnswer{}
}

// forget gives the buffer back: a long answer does without while its client takes
// it.
func (a *plainAnswer) forget() {
	if a.pooled != nil {
		a.conn.server.copies.Put(a.pooled)
		a.pooled, a.buf = nil, nil
	}
}

// Inform implements PlainWriter.
func (call *plainCall) Inform(head []byte) error {
	a := &call.answer
	if a.begun {
		return errBegunLate
	}
	a.send(head)
	return a.err
}

// Begin implements PlainWriter.
func (call *plainCall) Begin(head []byte, length int64) error {
	a := &call.answer
	if a.begun {
		return errBegunLate
	}
	a.begun, a.chunked, a.left = true, length < 0, max(length, 0)
	a.collect(head)
	return a.err
}

// Write implements PlainWriter.
func (call *plainCall) Write(p []byte) (int, error) {
	a := &call.answer
	switch {
	case a.err != nil:
		return 0, a.err
	case !a.begun || a.ended:
		return 0, errNotBegun
	case len(p) == 0:
		return 0, nil
	case a.chunked:
		return a.chunk(p)
	case int64(len(p)) > a.left:
		a.err = errTooLong
		return 0, a.err
	}
	n := a.content(nil, p, nil)
	a.left -= int64(n)
	return n, a.err
}

// Flush implements PlainWriter.
func (call *plainCall) Flush() error {
	call.answer.flush()
	return call.answer.err
}

// End implements PlainWriter.
func (call *plainCall) End(trailer field.Fields) error {
	a := &call.answer
	switch {
	case a.err != nil:
		return a.err
	case !a.begun || a.ended:
		return errNotBegun
	case a.left > 0:
		a.err = errTooShort
		return a.err
	}
	if a.chunked {
		a.collect([]byte("0\r\n"))
		for _, f := range trailer {
			a.collect([]byte(f.Name + ": " + f.Value + "\r\n"))
		}
		a.collect(chunkEnd)
	}
	a.flush()
	a.ended = a.err == nil
	return a.err
}

// chunk sends content as a chunk of its own (RFC 9112 section 7.1).
func (a *plainAnswer) chunk(p []byte) (int, error) {
	size := append(strconv.AppendUint(a.line[:0], uint64(len(p)), 16), "\r\n"...)
	n := a.content(size, p, chunkEnd)
	return n, a.err
}

// content sends or collects p between what frames it, and returns how much of it
// was taken.
func (a *plainAnswer) content(before, p, behind []byte) int {
	if a.conn.isTLS() || len(before)+len(p)+len(behind) <= copiedInClear {
		return a.copy(before, p, behind)
	}
	if a.err != nil {
		return 0
	}
	ahead := len(a.buf) + len(before)
	parts := append(a.parts[:0], a.buf, before, p, behind)
	a.vector = parts
	a.conn.limitWrite(a.conn.server.uptime())
	// What it is written to decides whether it is one system call: see sendVectors.
	sent, err := a.vector.WriteTo(a.conn.link.Conn)
	a.err = err
	clear(a.parts[:]) // content must not be held by a pool
	a.forget()
	return int(min(max(sent-int64(ahead), 0), int64(len(p))))
}

// copy is content through the buffer.
func (a *plainAnswer) copy(before, p, behind []byte) (n int) {
	a.collect(before)
	for rest := p; len(rest) > 0 && a.err == nil; {
		if len(a.buf) == 0 && len(rest) >= copiedSize {
			a.send(rest)
			n += len(rest)
			break
		}
		a.room()
		m := min(len(rest), cap(a.buf)-len(a.buf))
		a.buf = append(a.buf, rest[:m]...)
		if rest, n = rest[m:], n+m; len(a.buf) == cap(a.buf) {
			a.flush()
		}
	}
	a.collect(behind)
	return n
}

// collect keeps b for the next write, or writes where there is no room for it.
func (a *plainAnswer) collect(b []byte) {
	if len(a.buf)+len(b) > copiedSize {
		a.flush()
	}
	switch {
	case len(b) == 0:
	case len(b) > copiedSize:
		a.send(b)
	default:
		a.room()
		a.buf = append(a.buf, b...)
	}
}

func (a *plainAnswer) room() {
	if a.pooled == nil {
		a.pooled = a.conn.server.copies.Get().(*copyBuffer)
		a.buf = a.pooled[:0]
	}
}

func (a *plainAnswer) flush() {
	if len(a.buf) > 0 {
		a.send(a.buf)
		a.forget()
	}
}

func (a *plainAnswer) send(b []byte) {
	if a.err == nil {
		a.conn.limitWrite(a.conn.server.uptime())
		_, a.err = a.conn.Conn.Write(b)
	}
}
