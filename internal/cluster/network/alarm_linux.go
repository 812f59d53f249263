package network

import (
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// timerfd is an alarm of the system, which rings by the poller like a packet.
type timerfd struct {
	file  *os.File
	raw   syscall.RawConn
	read  func(fd uintptr) bool // count
	count [8]byte
	mu    struct {
		sync.Mutex
		fd     int
		closed bool // fd may be somebody else's
	}
}

// Alarm returns an alarm that is not set.
func (System) Alarm() (Alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a timer: %w", err)
	}
	t := &timerfd{file: os.NewFile(uintptr(fd), "timer")}
	t.mu.fd = fd
	t.read = t.take
	if t.raw, err = t.file.SyscallConn(); err != nil {
		t.file.Close()
		return nil, fmt.Errorf("make a timer: %w", err)
	}
	return t, nil
}

func (t *timerfd) Set(in time.Duration) {
	var at unix.ItimerSpec // zero: never
	if in >= 0 {
		at.Value = unix.NsecToTimespec(max(in, 1).Nanoseconds())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.mu.closed {
		// It does not wait, and cannot fail: see udp_linux.go for the first.
		unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(t.mu.fd), 0, uintptr(unsafe.Pointer(&at)), 0, 0, 0)
	}
}

func (t *timerfd) Wait() error {
	err := t.raw.Read(t.read)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && t.mu.closed {
		return net.ErrClosed
	}
	return err
}

// take takes note that the alarm has rung.
func (t *timerfd) take(fd uintptr) (rung bool) {
	n, _, _ := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&t.count)), uintptr(len(t.count)))
	return n == uintptr(len(t.count))
}

func (t *timerfd) Close() error {
	t.mu.Lock()
	t.mu.closed = true
	t.mu.Unlock()
	return t.file.Close()
}
