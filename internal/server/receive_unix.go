//go:build unix && (!linux || 386 || race)

package server

import "syscall"

// The race detector follows what the calls of package syscall pass from one
// process to another, so it gets these as well.

// announceEnds does nothing: here nothing is told.
func announceEnds(syscall.RawConn) bool { return false }

// receiver needs nothing.
type receiver struct{}

// receive reads once without waiting. Whether there is more is not known before
// another read finds nothing.
func (*receiver) receive(fd uintptr, b []byte, _ bool) (n int, more bool, err error) {
	n, err = syscall.Read(int(fd), b)
	return n, true, err
}

// transmit writes once without waiting.
func transmit(fd uintptr, b []byte) (int, error) { return syscall.Write(int(fd), b) }
