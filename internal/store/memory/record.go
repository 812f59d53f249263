package memory

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

// record is a stored object as it lies in its slot, with the Head behind it.
// What guards a field is the lock of the structure that it belongs to. The
// Header's group is the object's content, and its hash that of the key.
//
// What a look-up touches comes first, in one line of the processor's cache.
type record struct {
	slab.Header

	next  slab.Ref // table: behind it in the chain of its bucket
	flags atomic.Uint32
	self  slab.Ref // the slot
	judge uint32   // number of its Judge

	store.Record

	newer, older slab.Ref // queue
	left, right  slab.Ref // urls: neighbours in the list of its bucket
}

// Flags of a record.
const (
	flagVisited = 1 << iota // used since the hand last passed; set by Get
	flagStored              // in the table; changes under the shard's lock
)

// recordBytes is what a record takes in front of its Head.
const recordBytes = int(unsafe.Sizeof(record{}))

// recordOf returns the record that a store.Record is part of.
func recordOf(r *store.Record) *record {
	return (*record)(unsafe.Add(unsafe.Pointer(r), -int(unsafe.Offsetof(record{}.Record))))
}

func (r *record) head() *store.Head {
	return (*store.Head)(unsafe.Add(unsafe.Pointer(r), recordBytes))
}

func (r *record) is(flag uint32) bool { return r.flags.Load()&flag != 0 }

// slots is where records are.
type slots struct{ pool *slab.Pool }

// at returns the record in a slot, nil for none.
func (s slots) at(r slab.Ref) *record {
	if r == 0 {
		return nil
	}
	return (*record)(s.pool.Pointer(r))
}

// hashOf spreads a key over all bits, whatever it is: its lower half chooses
// the shard, its upper half the bucket.
func hashOf(key *field.Key) uint64 { return spread(binary.LittleEndian.Uint64(key[:8])) }

func spread(h uint64) uint64 {
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>32
}
