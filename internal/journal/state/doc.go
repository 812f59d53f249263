// Package state is what outlives the journal and is the same on every node in
// the end: tokens, the roster, generations. Entries of the journal change it; a
// node that lacks those receives it whole.
//
// It knows nothing of what its values mean: an item is an opaque value under a
// kind and an id. Removal wins over any value, for ever, so an id is never used
// again. Merging is idempotent, commutative and associative. The package is
// pure: no clock, no lock, no disk.
package state
