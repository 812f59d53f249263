package cluster

import (
	"syscall"
	"time"
	"unsafe"
)

// bootClock counts from the start of the machine, suspension included.
func bootClock() time.Duration {
	const clockBoottime = 7
	var ts syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockBoottime, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return time.Duration(time.Now().UnixNano()) // no kernel since 2.6.39 fails
	}
	return time.Duration(ts.Nano())
}
