//go:build !386 && !race

package server

import (
	"syscall"
	"unsafe"
)

// tcpInq is TCP_INQ of linux/tcp.h, both the option and the kind of message.
const tcpInq = 36

// announceEnds has a connection tell, with what is read from it, whether there is
// more: bytes, or the end of what the client sends. It returns false where the
// system does not know the option, or the socket is not TCP's: then nothing is
// told, and more is read for.
func announceEnds(raw syscall.RawConn) (tells bool) {
	raw.Control(func(fd uintptr) {
		tells = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpInq, 1) == nil
	})
	return tells
}

// receiver holds what a system call reads and writes beside the bytes.
type receiver struct {
	message syscall.Msghdr
	vector  syscall.Iovec
	control struct {
		syscall.Cmsghdr
		left int32
		_    int32
	}
}

// receive reads once without waiting. more is false where nothing was left
// behind, the end of what the client sends included; that is known only where the
// connection tells. Elsewhere there is no room for what it might tell: on a Unix
// socket those are descriptors, which would be ours to close.
//
// The system call is made as one that does not wait, because it does not: the
// scheduler is not told, which would take as long as a tenth of the call.
func (r *receiver) receive(fd uintptr, b []byte, tells bool) (n int, more bool, err error) {
	r.vector.Base = &b[0]
	r.vector.SetLen(len(b))
	r.message.Iov, r.message.Iovlen = &r.vector, 1
	r.message.Control = nil
	r.message.SetControllen(0)
	if tells {
		r.message.Control = (*byte)(unsafe.Pointer(&r.control))
		r.message.SetControllen(int(unsafe.Sizeof(r.control)))
	}
	got, _, errno := syscall.RawSyscall(syscall.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.message)), 0)
	if errno != 0 {
		return 0, false, errno
	}
	c := &r.control
	told := r.message.Controllen > 0 && c.Level == syscall.IPPROTO_TCP && c.Type == tcpInq
	return int(got), !told || c.left != 0, nil
}

// transmit writes once without waiting.
func transmit(fd uintptr, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
