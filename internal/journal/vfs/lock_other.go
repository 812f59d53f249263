//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package vfs

import "os"

// lockFile does nothing: this system has no lock that goes with the process,
// and one that stays would keep a node down after a crash. Here two processes
// in one directory are the operator's to avoid.
func lockFile(*os.File) error { return nil }
