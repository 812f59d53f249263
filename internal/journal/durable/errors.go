package durable

import (
	"errors"
	"fmt"
)

var (
	// ErrNotDurable is wrapped by the error of a commit that failed. What
	// waited for it is in force and may have spread, but would not survive a
	// crash; the next commit that succeeds makes it durable.
	ErrNotDurable = errors.New("journal: not on disk")
	// ErrClosed is returned by everything after Close.
	ErrClosed = errors.New("journal: closed")
	// ErrVersion is wrapped by Open's error about files of another version.
	ErrVersion = errors.New("journal: written by another version of this program")
	// ErrPositions is returned when no position is left and the disk does not
	// take another reservation. Nothing was recorded.
	ErrPositions = errors.New("journal: out of positions, since the disk has not taken a reservation for long")
	// ErrCorrupt is wrapped by every *CorruptError.
	ErrCorrupt = errors.New("journal: damaged")
)

// CorruptError says where the files are damaged and what to do.
type CorruptError struct {
	Path   string
	Offset int // in bytes
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%v: %s at byte %d: %s; restore the directory from a backup, or move all its journal* files away:"+
		" the node then starts without a journal, drops what it had stored and learns the rest from its peers",
		ErrCorrupt, e.Path, e.Offset, e.Reason)
}

// Unwrap returns ErrCorrupt.
func (e *CorruptError) Unwrap() error { return ErrCorrupt }
