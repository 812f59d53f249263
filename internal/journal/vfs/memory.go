package vfs

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Op is a kind of operation that can be made to fail.
type Op string

// Operations of a Memory.
const (
	OpCreate Op = "create"
	OpAppend Op = "append"
	OpWrite  Op = "write"
	OpSync   Op = "sync"
	OpRename Op = "rename"
	OpRemove Op = "remove"
	OpDir    Op = "sync directory"
	OpRead   Op = "read"
)

// Memory is a directory in memory that remembers what would outlast a crash.
// The zero Memory is not usable; see NewMemory.
type Memory struct {
	// Fault, if not nil, is asked before each operation on a file and may
	// return an error for it. A Write that fails writes a part first; a Sync
	// that fails may or may not have made everything durable: Crash decides.
	// Set it while nobody uses the directory. It must not use the directory.
	Fault func(op Op, name string) error

	mu struct {
		sync.Mutex
		now     map[string]*content // as processes see it
		durable map[string]*content // names that outlast a crash
		locked  bool
		owner   string
		epoch   int // of crashes: files opened before do nothing any more
	}
}

// content is a file's. Its first synced bytes outlast a crash.
type content struct {
	data   []byte
	synced int
}

// NewMemory returns an empty directory.
func NewMemory() *Memory {
	m := &Memory{}
	m.mu.now, m.mu.durable = map[string]*content{}, map[string]*content{}
	return m
}

func (m *Memory) fault(op Op, name string) error {
	if m.Fault == nil {
		return nil
	}
	if err := m.Fault(op, name); err != nil {
		return fmt.Errorf("%s %s: %w", op, name, err)
	}
	return nil
}

// Path returns the name.
func (m *Memory) Path(name string) string { return name }

// List returns the names of all files.
func (m *Memory) List() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.mu.now)), nil
}

// ReadFile returns a copy of a file's content.
func (m *Memory) ReadFile(name string, limit int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(OpRead, name); err != nil {
		return nil, err
	}
	c := m.mu.now[name]
	switch {
	case c == nil:
		return nil, fmt.Errorf("read %s: %w", name, fs.ErrNotExist)
	case int64(len(c.data)) > limit:
		return nil, fmt.Errorf("read %s: %w", name, ErrTooLarge)
	}
	return slices.Clone(c.data), nil
}

// Create makes an empty file.
func (m *Memory) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(OpCreate, name); err != nil {
		return nil, err
	}
	c := &content{}
	m.mu.now[name] = c
	return &memFile{m, name, c, m.mu.epoch}, nil
}

// Append opens a file to write behind its end.
func (m *Memory) Append(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(OpAppend, name); err != nil {
		return nil, err
	}
	c := m.mu.now[name]
	if c == nil {
		return nil, fmt.Errorf("append to %s: %w", name, fs.ErrNotExist)
	}
	return &memFile{m, name, c, m.mu.epoch}, nil
}

// Rename gives a file another's name.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(OpRename, from); err != nil {
		return err
	}
	c := m.mu.now[from]
	if c == nil {
		return fmt.Errorf("rename %s: %w", from, fs.ErrNotExist)
	}
	delete(m.mu.now, from)
	m.mu.now[to] = c
	return nil
}

// Remove removes a file.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(OpRemove, name); err != nil {
		return err
	}
	if m.mu.now[name] == nil {
		return fmt.Errorf("remove %s: %w", name, fs.ErrNotExist)
	}
	delete(m.mu.now, name)
	return nil
}

// Sync makes the names durable.
func (m *Memory) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault(OpDir, "."); err != nil {
		return err
	}
	m.mu.durable = maps.Clone(m.mu.now)
	return nil
}

// Lock keeps the directory for one owner.
func (m *Memory) Lock(name, owner string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.locked {
		return nil, &LockedError{Path: name, Owner: m.mu.owner}
	}
	m.mu.locked, m.mu.owner = true, owner
	return &memLock{m, m.mu.epoch}, nil
}

type memLock struct {
	m     *Memory
	epoch int
}

func (l *memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.epoch == l.m.mu.epoch {
		l.m.mu.locked = false
	}
	return nil
}

type memFile struct {
	m     *Memory
	name  string
	c     *content
	epoch int
}

func (f *memFile) check(op Op) error {
	if f.epoch != f.m.mu.epoch {
		return fmt.Errorf("%s %s: %w", op, f.name, fs.ErrClosed)
	}
	return f.m.fault(op, f.name)
}

func (f *memFile) Write(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check(OpWrite); err != nil {
		if f.epoch == f.m.mu.epoch {
			f.c.data = append(f.c.data, p[:len(p)/2]...)
		}
		return len(p) / 2, err
	}
	f.c.data = append(f.c.data, p...)
	return len(p), nil
}

func (f *memFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check(OpSync); err != nil {
		return err
	}
	f.c.synced = len(f.c.data)
	return nil
}

func (f *memFile) Close() error { return nil }

// String lists the files and their sizes, for tests' messages.
func (m *Memory) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m.mu.now)) {
		c := m.mu.now[name]
		fmt.Fprintf(&b, "%s: %d bytes, %d synced\n", name, len(c.data), c.synced)
	}
	return b.String()
}
