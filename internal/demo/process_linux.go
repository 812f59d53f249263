package demo

import "syscall"

// own makes a process one of a group of its own, so that an interrupt at the
// terminal reaches this program alone, which then ends the others in order. They
// are also killed where this one is.
func own() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
