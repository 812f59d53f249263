package store

import (
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/field"
)

// Judge gives verdicts on stored objects. It is called on every look-up and by
// every walk, from many goroutines at once, so it takes no lock that a purge
// holds. It must not keep the Object.
type Judge interface {
	// Judge tells whether o may be used now, and within which times.
	Judge(o *Object) Verdict
}

// State is the gist of a Verdict.
type State uint8

const (
	Live  State = iota // no purge concerns the object
	Soft               // soft purges bound its times
	Dead               // a purge withdrew it; it must not be used in any way
	Spare              // Dead, but every purge that withdrew it can still be undone
)

// Verdict is what a Judge says of an object.
type Verdict struct {
	State State
	Times field.Times // bounds to keep to; meaningful unless the object is dead
}

// Usable tells whether the object may be used within the verdict's times.
func (v Verdict) Usable() bool { return v.State == Live || v.State == Soft }

// Object is one stored response: an immutable Head, the Body that it shares
// with the Heads of later revalidations, and the little that changes.
//
// An Object is reference-counted through its Body: a Store holds one reference
// for as long as the object is in it, and Get returns the object with another,
// which its receiver gives back with Release.
type Object struct {
	Key   field.Key
	Head  *Head
	Body  *Body // nil for an object that only remembers an outcome
	Judge Judge

	// checked is the position up to which the object was found live. It only
	// grows. "Dead" is never remembered: an undo may take it back.
	checked atomic.Uint64
	hits    atomic.Uint64
	bound   atomic.Pointer[field.Times]
	swept   atomic.Bool
	left    atomic.Bool
}

// NewObject returns an object whose fetch began at its Head's stamp: up to
// there no purge can concern it. It takes over the caller's reference to body.
func NewObject(key field.Key, head *Head, body *Body, judge Judge) *Object {
	o := &Object{Key: key, Head: head, Body: body, Judge: judge}
	o.checked.Store(uint64(head.Stamp()))
	return o
}

// Checked returns the position up to which the object was found live.
func (o *Object) Checked() field.Position { return field.Position(o.checked.Load()) }

// MarkChecked records that no purge up to p concerns the object.
func (o *Object) MarkChecked(p field.Position) {
	for {
		old := o.checked.Load()
		if uint64(p) <= old || o.checked.CompareAndSwap(old, uint64(p)) {
			return
		}
	}
}

// Hit counts one use and returns the count that includes it.
func (o *Object) Hit() uint64 { return o.hits.Add(1) }

// Hits returns how often the object was used.
func (o *Object) Hits() uint64 { return o.hits.Load() }

// Times returns the object's times: its Head's, bounded by soft purges that can
// no longer be undone. Purges that still have marks bound the Head's own times,
// not these: a window must not be cut twice by the same purge.
func (o *Object) Times() field.Times {
	if t := o.bound.Load(); t != nil {
		return *t
	}
	return o.Head.Times()
}

// Bound tells whether Bind was called.
func (o *Object) Bound() bool { return o.bound.Load() != nil }

// Bind bounds the object's times for good.
func (o *Object) Bind(t field.Times) {
	for {
		old := o.bound.Load()
		next := o.Times().Min(t)
		if o.bound.CompareAndSwap(old, &next) {
			return
		}
	}
}

// Withdraw records, before the object is removed, that a purge took it for
// good. The purge's marks are dropped only afterwards, so whoever holds the
// object and finds no mark against it must still ask Withdrawn.
func (o *Object) Withdraw() { o.swept.Store(true) }

// Withdrawn tells whether Withdraw was called.
func (o *Object) Withdrawn() bool { return o.swept.Load() }

// Leave records that the object is in no store any more, so that no sweep
// visits it. Stores call it.
func (o *Object) Leave() { o.left.Store(true) }

// Left tells whether Leave was called.
func (o *Object) Left() bool { return o.left.Load() }

// Cost returns the bytes that the object takes of a memory budget besides its
// Body's.
func (o *Object) Cost() int64 { return objectOverhead + int64(o.Head.Size()) }

// objectOverhead is what an Object, its Head's descriptor, its index entries
// and their share of the tables take beside the Head's blob: about 430 bytes,
// measured with runtime.MemStats over small objects, and rounded up.
const objectOverhead = 512

// Retain adds a reference.
func (o *Object) Retain() {
	if o.Body != nil {
		o.Body.Retain()
	}
}

// Release gives back a reference.
func (o *Object) Release() {
	if o.Body != nil {
		o.Body.Release()
	}
}
