package sim

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// Disk is what a machine's data directory is on. What it does can be changed while
// nodes use it.
type Disk struct {
	mem  *vfs.Memory
	sync atomic.Int64 // nanoseconds that a sync of a file takes
	full atomic.Bool
	lies atomic.Bool // says that it has synced, and has not
}

// NewDisk returns an empty disk.
func NewDisk() *Disk { return &Disk{mem: vfs.NewMemory()} }

// SetSync sets how long a sync of a file takes.
func (d *Disk) SetSync(t time.Duration) { d.sync.Store(int64(t)) }

// SetFull makes writing fail, or work again.
func (d *Disk) SetFull(full bool) { d.full.Store(full) }

// copy returns a disk with the same content, all of it synced.
func (d *Disk) copy() *Disk { return &Disk{mem: d.mem.Clone()} }

// errFull is what a full disk answers.
var errFull = errors.New("no space left on the simulated disk")

// mount is the disk as one process sees it. When the process has ended, nothing
// that is left of it changes the disk any more.
type mount struct {
	disk *Disk
	mu   sync.Mutex // held for each operation, so that none is under way at the end
	dead bool
}

// kill ends the process. With chances the power fails, else nothing written is
// lost.
func (m *mount) kill(chances *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	if chances != nil {
		m.disk.mem.Crash(chances)
	} else {
		m.disk.mem.Kill()
	}
}

// do carries an operation out, unless the process has ended.
func (m *mount) do(writes bool, op func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.dead:
		return fs.ErrClosed
	case writes && m.disk.full.Load():
		return errFull
	}
	return op()
}

func (m *mount) Path(name string) string { return name }

func (m *mount) List() (names []string, err error) {
	err = m.do(false, func() (err error) { names, err = m.disk.mem.List(); return })
	return names, err
}

func (m *mount) ReadFile(name string, limit int64) (data []byte, err error) {
	err = m.do(false, func() (err error) { data, err = m.disk.mem.ReadFile(name, limit); return })
	return data, err
}

func (m *mount) Create(name string) (vfs.File, error) { return m.open(m.disk.mem.Create, name) }
func (m *mount) Append(name string) (vfs.File, error) { return m.open(m.disk.mem.Append, name) }

func (m *mount) open(open func(string) (vfs.File, error), name string) (vfs.File, error) {
	f := &mounted{m: m}
	err := m.do(true, func() (err error) { f.file, err = open(name); return })
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (m *mount) Rename(from, to string) error {
	return m.do(true, func() error { return m.disk.mem.Rename(from, to) })
}

func (m *mount) Remove(name string) error {
	return m.do(false, func() error { return m.disk.mem.Remove(name) })
}

func (m *mount) Sync() error { return m.do(true, m.disk.mem.Sync) }

func (m *mount) Lock(name, owner string) (c io.Closer, err error) {
	err = m.do(false, func() (err error) { c, err = m.disk.mem.Lock(name, owner); return })
	return c, err
}

// mounted is an open file.
type mounted struct {
	m    *mount
	file vfs.File
}

func (f *mounted) Write(p []byte) (n int, err error) {
	err = f.m.do(true, func() (err error) { n, err = f.file.Write(p); return })
	return n, err
}

func (f *mounted) Sync() error {
	if d := time.Duration(f.m.disk.sync.Load()); d > 0 {
		time.Sleep(d)
	}
	if f.m.disk.lies.Load() {
		return f.m.do(true, func() error { return nil })
	}
	return f.m.do(true, f.file.Sync)
}

func (f *mounted) Close() error { return f.file.Close() }
