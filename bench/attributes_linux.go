package main

import "syscall"

// attributes put a program into a process group of its own. Where this program
// dies without a chance to clean up, its children are told to stop, and take
// theirs along.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
