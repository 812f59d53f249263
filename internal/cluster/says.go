package cluster

import "sync/atomic"

// says is what the log has said, so that it says each trouble once and not with
// every batch: a disk that takes nothing would write thousands of lines a second.
type says struct {
	receive, concede trouble
}

// trouble is something that works or fails.
type trouble struct{ now atomic.Bool }

// failed takes note of a failure, and tells whether it is the first since it
// worked.
func (t *trouble) failed() bool { return !t.now.Load() && t.now.CompareAndSwap(false, true) }

// worked takes note of a success, and tells whether it is the first since a
// failure.
func (t *trouble) worked() bool { return t.now.Load() && t.now.CompareAndSwap(true, false) }
