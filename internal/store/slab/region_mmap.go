//go:build unix && !race

package slab

import (
	"runtime"
	"syscall"
	"unsafe"
)

// regionBytes is how much is mapped at once. It is address space and becomes
// memory only as it is touched.
const regionBytes = 64 << 20

// regionSize returns the size of regions: a power of two and a multiple of a
// slab, of which a small pool does not map many times what it needs.
func regionSize(slab int, limit int64) int {
	size := slab
	for size < regionBytes && int64(size) < limit+int64(slab) {
		size *= 2
	}
	return size
}

// newRegion returns memory that stays for as long as p is reachable, nil where
// the system has none.
func newRegion(p *Pool, size int) unsafe.Pointer {
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	advise(memory)
	runtime.AddCleanup(p, func(memory []byte) { syscall.Munmap(memory) }, memory)
	return unsafe.Pointer(unsafe.SliceData(memory))
}
