//go:build unix

package demo

import (
	"os"
	"syscall"
)

// canFreeze says whether processes can be stopped for a while.
const canFreeze = true

// freeze stops a process where it stands, with all that it has in memory.
func freeze(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

// thaw lets a frozen process go on.
func thaw(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// terminate asks a process to end, frozen or not.
func terminate(p *os.Process) error {
	err := p.Signal(syscall.SIGTERM)
	_ = thaw(p) // fails only where it has ended
	return err
}
