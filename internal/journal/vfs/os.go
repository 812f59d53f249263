package vfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// OS returns a directory of the operating system's, which it makes if there is
// none. Nobody but its owner may read what is in it.
func OS(dir string) (FS, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return osDir(dir), nil
}

type osDir string

func (d osDir) Path(name string) string { return filepath.Join(string(d), name) }

func (d osDir) List() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func (d osDir) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(d.Path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: %w", d.Path(name), ErrTooLarge)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("read %s: %w", d.Path(name), err)
	}
	return data, nil
}

func (d osDir) Create(name string) (File, error) {
	return openFile(d.Path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
}

func (d osDir) Append(name string) (File, error) {
	return openFile(d.Path(name), os.O_WRONLY|os.O_APPEND)
}

// openFile returns a nil File with an error: an *os.File that is nil would not
// be.
func openFile(path string, flag int) (File, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d osDir) Rename(from, to string) error { return os.Rename(d.Path(from), d.Path(to)) }

func (d osDir) Remove(name string) error { return os.Remove(d.Path(name)) }

func (d osDir) Sync() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// maxOwner bounds what is read of a lock file: a line that we wrote.
const maxOwner = 256

func (d osDir) Lock(name, owner string) (io.Closer, error) {
	path := d.Path(name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		defer f.Close()
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		text, _ := io.ReadAll(io.LimitReader(f, maxOwner))
		return nil, &LockedError{Path: path, Owner: strings.TrimSpace(string(text))}
	}
	// The text is for people; the lock holds without it, so on a full disk too.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(owner+"\n"), 0)
	}
	return f, nil // closing gives the lock up; the file stays, or two could lock two files of one name
}

// errLocked is lockFile's when another process has the lock.
var errLocked = errors.New("locked")
