//go:build unix

package sink

import (
	"os"
	"syscall"
)

// dupStdout returns standard output under another descriptor. A write to
// descriptor 1 after its reader has gone ends the process by SIGPIPE, which is
// right for a filter, and wrong for a server that loses its log.
func dupStdout() (*os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Dup(syscall.Stdout) // Stdout.Fd would make it blocking
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), os.Stdout.Name()), nil
}
