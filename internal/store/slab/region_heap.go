//go:build !unix || race

package slab

import "unsafe"

// regionSize returns the size of regions: one slab, because what the heap gives
// is in use.
func regionSize(slab int, _ int64) int { return slab }

// newRegion returns memory that stays for as long as p or what points into it
// is reachable.
func newRegion(_ *Pool, size int) unsafe.Pointer {
	// Words, so that it is aligned for what slots hold.
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, size/8)))
}
