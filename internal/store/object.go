package store

import "github.com/rescind-edge/rescind/internal/field"

// Object is a hold on one stored response: an immutable Head, the Content that
// it shares with the Heads of later revalidations, and the little that changes.
// It is a small value; copies of it are the same hold.
//
// A store's Get and Put return an Object with a reference, which its receiver
// gives back with Release. After that nothing of it may be touched, its Head
// and the Head's strings included: the memory is another object's. Whoever
// hands an Object on for longer calls Retain for it.
//
// The zero Object holds nothing. Of its methods only Found and Release may be
// called.
type Object struct {
	Head *Head

	record *Record
	keeper Keeper
}

// Keeper is what Objects ask of the store that keeps them.
type Keeper interface {
	// JudgeOf returns the Judge that the object was put in with.
	JudgeOf(r *Record) Judge
	// ContentOf returns the object's content, without a reference; the zero
	// Content where it only remembers an outcome.
	ContentOf(r *Record) Content
	// CostOf returns the bytes that the object takes, besides its content's.
	CostOf(r *Record) int64
	// Free frees what nobody holds any more.
	Free(r *Record)
}

// Hold returns the Object of a Record and its Head that are in a store's
// memory. It takes over a reference that the caller added to the Record.
func Hold(k Keeper, r *Record, h *Head) Object { return Object{Head: h, record: r, keeper: k} }

// Found tells whether the Object is one.
func (o Object) Found() bool { return o.record != nil }

// Record returns what the object's store laid out, for that store.
func (o Object) Record() *Record { return o.record }

// Keeper returns the store that keeps the object's memory.
func (o Object) Keeper() Keeper { return o.keeper }

// Key returns the cache key.
func (o Object) Key() field.Key { return o.record.key }

// Judge returns the Judge that the object was put in with.
func (o Object) Judge() Judge { return o.keeper.JudgeOf(o.record) }

// HasBody tells whether there is content: an object without only remembers an
// outcome. Content that is there may be empty.
func (o Object) HasBody() bool { return o.Content().Found() }

// Content returns the object's content. It is valid for as long as the object
// is held.
func (o Object) Content() Content { return o.keeper.ContentOf(o.record) }

// NewReader returns a reader of the content from an offset on. It holds the
// content, not the object.
func (o Object) NewReader(off int64) *Reader { return o.Content().NewReader(off) }

// Checked returns the position up to which the object was found live.
func (o Object) Checked() field.Position { return field.Position(o.record.checked.Load()) }

// MarkChecked records that no purge up to p concerns the object.
func (o Object) MarkChecked(p field.Position) {
	for {
		old := o.record.checked.Load()
		if uint64(p) <= old || o.record.checked.CompareAndSwap(old, uint64(p)) {
			return
		}
	}
}

// Hit counts one use and returns the count that includes it.
func (o Object) Hit() uint64 { return o.record.hits.Add(1) }

// Hits returns how often the object was used.
func (o Object) Hits() uint64 { return o.record.hits.Load() }

// Times returns the object's times: its Head's, bounded by soft purges that can
// no longer be undone. Purges that still have marks bound the Head's own times,
// not these: a window must not be cut twice by the same purge.
func (o Object) Times() field.Times {
	own := o.Head.Times()
	if !o.Bound() {
		return own
	}
	return own.Min(o.record.bound())
}

// Bound tells whether Bind was called.
func (o Object) Bound() bool { return o.record.has(stateBound) }

// Bind bounds the object's times for good.
func (o Object) Bind(t field.Times) { o.record.bind(t) }

// Withdraw records, before the object is removed, that a purge took it for
// good. The purge's marks are dropped only afterwards, so whoever holds the
// object and finds no mark against it must still ask Withdrawn.
func (o Object) Withdraw() { o.record.state.Or(stateWithdrawn) }

// Withdrawn tells whether Withdraw was called.
func (o Object) Withdrawn() bool { return o.record.has(stateWithdrawn) }

// Left tells whether the object is in no store any more.
func (o Object) Left() bool { return o.record.has(stateLeft) }

// Cost returns the bytes of memory that the object takes: what it has for
// itself, and its content, which it may share with the object that it replaced.
func (o Object) Cost() int64 {
	return o.keeper.CostOf(o.record) + o.Content().Cost()
}

// Retain adds a reference.
func (o Object) Retain() { o.record.Retain() }

// Release gives back a reference. It does nothing to the zero Object.
func (o Object) Release() {
	if o.record != nil && o.record.Release() {
		o.keeper.Free(o.record)
	}
}
