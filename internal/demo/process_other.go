//go:build !unix

package demo

import (
	"errors"
	"os"
	"syscall"
)

// canFreeze says whether processes can be stopped for a while.
const canFreeze = false

func freeze(*os.Process) error { return errors.ErrUnsupported }

func thaw(*os.Process) error { return errors.ErrUnsupported }

// terminate ends a process: here it cannot be asked.
func terminate(p *os.Process) error { return p.Kill() }

func own() *syscall.SysProcAttr { return nil }
