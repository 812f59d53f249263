// Package slab is memory for many small things that the garbage collector does
// not look at: slots of a few sizes, carved out of slabs of one size, which are
// mapped from the system up to a limit and touched only as they fill.
//
// It knows nothing of what its slots hold, except who must leave for a slot to
// become free, which each slot's Header tells. It evicts nothing: it says where
// memory is stranded, and whoever stores things there decides what goes.
//
// Slots hold no Go pointers. Under the race detector, and where there is no
// mmap, they are on the Go heap, so that the detector sees every access.
package slab
