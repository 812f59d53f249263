//go:build !386 && !race

package server

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// What is left behind a read is told with it: bytes, and the end. Without that
// every answer would cost another read.
func TestReadsTellWhatIsLeft(t *testing.T) {
	ours, theirs := connectedTCP(t)
	raw, err := ours.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	tells := announceEnds(raw)
	if !tells {
		t.Fatal("the system does not know TCP_INQ")
	}
	var r receiver
	read := func(size int) (n int, more bool) {
		err := raw.Read(func(fd uintptr) bool {
			var err error
			n, more, err = r.receive(fd, make([]byte, size), tells)
			return err != syscall.EAGAIN
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, more
	}
	io.WriteString(theirs, "abcdef")
	if n, more := read(4); n != 4 || !more {
		t.Errorf("%d bytes of 6, more %v", n, more)
	}
	if n, more := read(4); n != 2 || more {
		t.Errorf("%d bytes of 2, more %v", n, more)
	}
	io.WriteString(theirs, "g")
	if n, more := read(1); n != 1 || more {
		t.Errorf("%d bytes into as much room, more %v", n, more)
	}
	io.WriteString(theirs, "h")
	theirs.CloseWrite()
	awaitEnd(t, ours)
	if n, more := read(4); n != 1 || !more {
		t.Errorf("%d bytes and the end, more %v", n, more)
	}
	if n, _ := read(4); n != 0 {
		t.Errorf("%d bytes behind the end", n)
	}
}

// A client on a Unix socket can send descriptors. They are not kept: each would be
// open for good.
func TestDescriptorsAreNotTaken(t *testing.T) {
	l, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	ours, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	raw, err := ours.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	sent, kept, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	rights := syscall.UnixRights(int(sent.Fd()))
	if _, _, err := theirs.(*net.UnixConn).WriteMsgUnix([]byte("GET"), rights, nil); err != nil {
		t.Fatal(err)
	}
	sent.Close()
	tells := announceEnds(raw)
	var r receiver
	err = raw.Read(func(fd uintptr) bool {
		n, more, err := r.receive(fd, make([]byte, 9), tells)
		if n != 3 || !more || err != nil {
			t.Errorf("%d bytes, more %v: %v", n, more, err)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the other end of a pipe is still open: %v", err)
	}
}

// connectedTCP returns the two ends of a connection.
func connectedTCP(t *testing.T) (accepted, dialled *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return b.(*net.TCPConn), a.(*net.TCPConn)
}

// awaitEnd returns once the end of what the other side sent has arrived.
func awaitEnd(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	ended := false
	for !ended {
		raw.Control(func(fd uintptr) { ended = halfClosed(fd) })
	}
}

// halfClosed tells whether a socket is in the state TCP_CLOSE_WAIT.
func halfClosed(fd uintptr) bool {
	const closeWait = 8 // linux/tcp_states.h
	state, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
	return err == nil && state&0xff == closeWait
}
