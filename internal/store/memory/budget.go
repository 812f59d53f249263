package memory

import "sync/atomic"

// budget counts the bytes in use. It never exceeds its limit, not even for a
// moment: bytes are taken before they are used, and only where they fit.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take takes n bytes, n >= 0, where there is room for all of them.
func (b *budget) take(n int64) bool {
	for {
		used := b.used.Load()
		if n > b.limit-used {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// give gives n bytes back. To give more than was taken is a bug that would
// let memory grow without bound, so it panics.
func (b *budget) give(n int64) {
	if n == 0 {
		return // every Commit of a body: keep off the shared counter
	}
	if b.used.Add(-n) < 0 {
		panic("memory: more bytes released than reserved")
	}
}
