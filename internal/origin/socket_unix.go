//go:build unix

package origin

import (
	"net"
	"syscall"
)

// socket is the socket of a connection, to look at without reading.
type socket struct {
	raw  syscall.RawConn
	peek func(fd uintptr) bool
	buf  [1]byte
	n    int // of peek
	err  error
}

// newSocket returns the socket of a connection, nil where it has none.
func newSocket(c net.Conn) *socket {
	sys, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw}
	s.peek = s.peekOnce
	return s
}

// look tells what there is to read. Nobody may be reading.
func (s *socket) look() socketState {
	switch err := s.raw.Read(s.peek); {
	case err != nil:
		return socketEnded
	case s.n > 0:
		return socketSpoke
	case s.err == syscall.EAGAIN:
		return socketQuiet
	}
	return socketEnded
}

func (s *socket) peekOnce(fd uintptr) bool {
	for {
		s.n, _, s.err = syscall.Recvfrom(int(fd), s.buf[:], syscall.MSG_PEEK)
		if s.err != syscall.EINTR {
			return true // never waits
		}
	}
}
