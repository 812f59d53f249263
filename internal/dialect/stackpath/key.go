package stackpath

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Key signs access tokens.
type Key [32]byte

// NewKey returns a key that no other process has.
func NewKey() (k Key) {
	rand.Read(k[:])
	return k
}

// OpenKey returns the key kept in a data directory, which must exist, and makes
// one where there is none. With "" it is NewKey: access tokens then end with the
// process, and their clients ask for others.
func OpenKey(dir string) (Key, error) {
	if dir == "" {
		return NewKey(), nil
	}
	name := filepath.Join(dir, "stackpath.key")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		k := NewKey()
		return k, writeKey(name, k)
	}
	if err != nil {
		return Key{}, fmt.Errorf("stackpath: %w", err)
	}
	if len(text) != len(Key{}) {
		return Key{}, fmt.Errorf("stackpath: %s is damaged: %d bytes instead of %d; remove it to have another made", name, len(text), len(Key{}))
	}
	return Key(text), nil
}

// writeKey writes a file that nobody else may read. It appears under its name
// when it is whole.
func writeKey(name string, k Key) error {
	next := name + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("stackpath: %w", err)
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("stackpath: %w", err)
	}
	_, err = f.Write(k[:])
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(next, name)
	}
	if err != nil {
		return fmt.Errorf("stackpath: %w", err)
	}
	return nil
}
