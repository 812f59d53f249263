package memory

import (
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/store"
)

// entry is the store's own record of one stored object: 64 bytes that link it
// into the table, the queue and the index of URLs without further allocations.
// What guards a field is the lock of the structure that it belongs to.
type entry struct {
	object *store.Object // never changes

	// Table.
	next   *entry // the next older variant of the same key
	stored bool   // in the table

	visited atomic.Bool // used since the hand last passed; atomic, set by Get

	// Queue.
	newer, older *entry

	// URLs.
	left, right *entry // neighbours of the same URL tag, in no order
}
