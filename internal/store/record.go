package store

import (
	"math"
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/field"
)

// Record is the part of a stored object that changes, and what finds it. It
// holds no pointers: stores lay it out in their own memory, where it is valid
// for as long as the object is held. The zero Record is not ready for use.
type Record struct {
	key   field.Key
	refs  atomic.Int32
	state atomic.Uint32
	// checked is the position up to which the object was found live. It only
	// grows. "Dead" is never remembered: an undo may take it back.
	checked atomic.Uint64
	hits    atomic.Uint64
	// bounds are those of soft purges that can no longer be undone. Each only
	// shrinks, in the order of field.Times; whoever reads them in the opposite
	// order never sees one that is past a later one.
	bounds [4]atomic.Int64
}

// Bits of a Record's state.
const (
	stateBound     = 1 << iota // has bounds
	stateWithdrawn             // a purge took it for good
	stateLeft                  // in no store any more
)

// Init makes a Record of an object that nobody holds yet, whose fetch began at
// stamp: up to there no purge can concern it.
func (r *Record) Init(key field.Key, stamp field.Position) {
	r.key = key
	r.refs.Store(0)
	r.state.Store(0)
	r.checked.Store(uint64(stamp))
	r.hits.Store(0)
	for i := range r.bounds {
		r.bounds[i].Store(math.MaxInt64)
	}
}

// Key returns the object's cache key.
func (r *Record) Key() field.Key { return r.key }

// Is tells whether key is the object's.
func (r *Record) Is(key *field.Key) bool { return r.key == *key }

// Retain adds a reference. Only who holds one already, or keeps others from
// giving back the last, may call it.
func (r *Record) Retain() { r.refs.Add(1) }

// Release gives back a reference and tells whether it was the last.
func (r *Record) Release() (last bool) {
	n := r.refs.Add(-1)
	if n < 0 {
		panic("store: object released too often")
	}
	return n == 0
}

// Leave records that the object is in no store any more, so that no sweep
// visits it.
func (r *Record) Leave() { r.state.Or(stateLeft) }

func (r *Record) has(bit uint32) bool { return r.state.Load()&bit != 0 }

func (r *Record) bound() (t field.Times) {
	t.Keep = r.bounds[3].Load()
	t.SIE = r.bounds[2].Load()
	t.SWR = r.bounds[1].Load()
	t.Fresh = r.bounds[0].Load()
	return t
}

func (r *Record) bind(t field.Times) {
	for i, to := range [...]int64{t.Fresh, t.SWR, t.SIE, t.Keep} {
		least(&r.bounds[i], to)
	}
	r.state.Or(stateBound)
}

// least lowers v to at most to.
func least(v *atomic.Int64, to int64) {
	for {
		old := v.Load()
		if old <= to || v.CompareAndSwap(old, to) {
			return
		}
	}
}
