//go:build linux || darwin || freebsd

package app

import "syscall"

// writable tells whether this user may make files in a directory.
func writable(dir string) error {
	const write, search = 2, 1 // W_OK and X_OK of access(2)
	return syscall.Access(dir, write|search)
}
