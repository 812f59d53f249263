//go:build unix

package server

import (
	"io"
	"os"
	"syscall"
)

// sparing reads a connection into a buffer that it takes only when there is
// something to read. While net/http looks for the HTTP/2 preface it offers us a
// few bytes to read into, and it looks for as long as we answer its requests.
// So a connection could wait there for all its life, with a buffer of ours.
type sparing struct {
	c   *conn
	raw syscall.RawConn // nil where the connection has none
	try func(fd uintptr) (done bool)
	err error // of try
}

func newSparing(c *conn) *sparing {
	s := &sparing{c: c}
	if sys, ok := c.link.Conn.(syscall.Conn); ok && c.Conn == c.link {
		s.raw, _ = sys.SyscallConn()
	}
	s.try = s.readInto
	return s
}

// fill reads once into b, which is empty.
func (s *sparing) fill(b *buffer) error {
	if s.raw == nil || s.c.link.ahead.len() > 0 {
		_, err := b.fill(s.c.Conn, pooledSize)
		return err
	}
	s.err = nil
	err := s.raw.Read(s.try)
	if err == nil {
		err = s.err
	}
	if err != nil && !isTimeout(err) {
		return io.EOF // net/http would answer an error that it does not know
	}
	return err
}

// readInto is called when there may be something to read.
func (s *sparing) readInto(fd uintptr) (done bool) {
	b := &s.c.in
	b.reserve(pooledSize)
	for {
		n, err := syscall.Read(int(fd), b.data[:cap(b.data)])
		switch {
		case err == syscall.EINTR:
			continue
		case n > 0:
			b.data = b.data[:n]
			return true
		}
		b.release()
		if err == syscall.EAGAIN {
			return false
		}
		s.err = io.EOF
		if err != nil {
			s.err = os.NewSyscallError("read", err)
		}
		return true
	}
}
