//go:build unix

package server

import (
	"io"
	"syscall"
)

// direct serves a connection in clear by its descriptor, past the layers of
// package net, for as long as the FastHandler answers: each request is read,
// answered and waited for inside one syscall.RawConn.Read.
//
// That saves the read by which Go's poller is asked again after each answer.
// The poller forgets what it has heard of a descriptor when a Read begins, so
// each Read has to try before it may wait. Inside one RawConn.Read it forgets
// nothing: what arrives after a read that has left nothing behind makes the wait
// that follows end at once. So that read must be known to have left nothing,
// which is more than that it filled only a part of the buffer: the end of what
// the client sends may have arrived behind the request, and would not be
// announced again. See receiver.
//
// It also lets an idle connection wait without a buffer, whatever its caller
// offers.
type direct struct {
	c    *conn
	raw  syscall.RawConn
	turn func(fd uintptr) (done bool)

	tells bool // whether a read has left something behind

	// Of one call of serve.
	room []byte // the caller's
	n    int    // bytes passed on in it
	err  error
}

// newDirect returns nil where the connection has no descriptor, or speaks TLS.
func newDirect(c *conn) *direct {
	sys, ok := c.link.Conn.(syscall.Conn)
	if !ok || c.isTLS() {
		return nil
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return nil
	}
	d := &direct{c: c, raw: raw, tells: announceEnds(raw)}
	d.turn = d.takeTurn
	return d
}

// serve waits for requests and has them answered, until there is one for
// net/http: then it returns as conn.take does. It returns an error as well where
// the wait ends: by a deadline, or io.EOF.
func (d *direct) serve(p []byte) (int, error) {
	d.room, d.n, d.err = p, 0, nil
	err := d.raw.Read(d.turn)
	d.room = nil
	switch {
	case err == nil:
		return d.n, d.err
	case isTimeout(err):
		return 0, err
	}
	return 0, io.EOF // net/http would answer an error that it does not know
}

// takeTurn is called when there may be something to read. It returns false to be
// called when there is more. It must not close the connection, which would wait
// for it to return.
func (d *direct) takeTurn(fd uintptr) (done bool) {
	call := d.c.server.takeCall()
	call.direct, call.fd = true, fd
	for more := true; more && !done; {
		done, more = d.step(call)
	}
	d.c.server.giveCall(call)
	return done
}

// step reads once and does what there is to do. more tells that another read may
// find something.
func (d *direct) step(call *fastCall) (done, more bool) {
	n, more, err := call.receiver.receive(call.fd, call.room[:], d.tells)
	switch {
	case err == syscall.EINTR:
		return false, true
	case err == syscall.EAGAIN:
		return false, false
	case n <= 0:
		d.err = io.EOF
		return true, false
	}
	d.n, d.err = d.c.take(call, call.room[:n], d.room)
	return d.n > 0 || d.err != nil || d.c.in.len() > 0 || d.c.phase != awaiting, more
}

// send writes what can be written at once, and returns how much that was. What
// keeps it from writing more is for net.Conn.Write to find out.
func send(fd uintptr, b []byte) int {
	for {
		n, err := transmit(fd, b)
		if err != syscall.EINTR {
			return max(n, 0)
		}
	}
}
