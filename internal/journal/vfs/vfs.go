package vfs

import (
	"errors"
	"io"
)

// FS is one directory of files. Methods may be called from many goroutines.
// Errors wrap those of package io/fs where they apply.
type FS interface {
	// List returns the names of all files, in order.
	List() ([]string, error)
	// ReadFile returns the content of a file. The error wraps fs.ErrNotExist
	// where there is none, and ErrTooLarge above limit bytes.
	ReadFile(name string, limit int64) ([]byte, error)
	// Create makes an empty file for writing, and empties one that exists.
	Create(name string) (File, error)
	// Append opens a file that exists, to write behind its end.
	Append(name string) (File, error)
	// Rename gives a file the name of another, which goes.
	Rename(from, to string) error
	Remove(name string) error
	// Sync makes creations, renames and removals outlast a crash.
	Sync() error
	// Lock keeps the directory for one process until the Closer is closed or
	// the process ends. The error is a *LockedError if another has it.
	Lock(name, owner string) (io.Closer, error)
	// Path returns where a file is, for messages to people.
	Path(name string) string
}

// File is a file open for writing. Only one goroutine at a time may use it.
// After an error of Write or Sync, what of the file will outlast a crash is
// unknown, and stays so whatever later calls return.
type File interface {
	io.Writer
	// Sync makes what was written outlast a crash.
	Sync() error
	Close() error
}

// ErrTooLarge is returned for a file that is larger than the caller allows.
var ErrTooLarge = errors.New("the file is larger than any that this program writes")

// LockedError says that another process uses the directory.
type LockedError struct {
	Path  string // of the lock file
	Owner string // what that process says of itself; "" if not known
}

func (e *LockedError) Error() string {
	owner := e.Owner
	if owner == "" {
		owner = "another process"
	}
	return e.Path + " is held by " + owner + "; stop it, or give this one a directory of its own"
}
