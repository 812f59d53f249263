package memory

import (
	"runtime"
	"testing"
)

// TestBytesCoverTheHeap: what the budget counts is within a fifth of what the
// heap holds, for the small objects for which overheads weigh most.
func TestBytesCoverTheHeap(t *testing.T) {
	const objects = 40_000
	before := heap()
	s := New(Config{Budget: 1 << 30})
	for i := range objects {
		put(t, s, i, 64, live)
	}
	taken, counted := int64(heap()-before), s.Stats().Bytes
	t.Logf("%d bytes an object on the heap, %d counted", taken/objects, counted/objects)
	if taken*5 > counted*6 {
		t.Errorf("the heap holds %d bytes, the budget counts %d", taken, counted)
	}
	runtime.KeepAlive(s)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one left to finalizers and pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
