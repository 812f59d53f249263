package vfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Kill ends the process that uses the directory, as kill -9 does: nothing
// written is lost, files it had open do nothing any more, its lock is free.
func (m *Memory) Kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endLocked()
}

func (m *Memory) endLocked() {
	m.mu.epoch++
	m.mu.locked = false
}

// Crash is a loss of power: of each file, what was not synced is lost from some
// byte on, or is there as zeros, or has one byte wrong; of creations, renames
// and removals since the last Sync, either all or none are lost.
func (m *Memory) Crash(r *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endLocked()
	if r.IntN(2) == 0 {
		m.mu.now = maps.Clone(m.mu.durable)
	}
	for _, name := range slices.Sorted(maps.Keys(m.mu.now)) {
		m.mu.now[name].crash(r)
	}
	m.mu.durable = maps.Clone(m.mu.now)
}

func (c *content) crash(r *rand.Rand) {
	loose := c.data[c.synced:]
	if len(loose) == 0 {
		return
	}
	at := r.IntN(len(loose) + 1)
	switch r.IntN(3) {
	case 0: // cut
		c.data = c.data[:c.synced+at]
	case 1: // the file grew, its content never came
		clear(loose[at:])
	case 2:
		if at < len(loose) {
			loose[at] ^= byte(1 + r.IntN(255))
		}
	}
	c.synced = len(c.data)
}

// Damage changes one byte of a file, as a failing disk does.
func (m *Memory) Damage(name string, offset int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.now[name].data[offset] ^= 0x55
}

// Cut shortens a file.
func (m *Memory) Cut(name string, size int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.mu.now[name]
	c.data = c.data[:size:size]
	c.synced = min(c.synced, size)
}

// Clone returns a copy of the directory as a crash-free copy of the disk would
// be: not locked, everything durable.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := NewMemory()
	for name, c := range m.mu.now {
		o.mu.now[name] = &content{slices.Clone(c.data), len(c.data)}
	}
	o.mu.durable = maps.Clone(o.mu.now)
	return o
}
