package memory

import (
	"fmt"
	"testing"

	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/storetest"
)

// TestNothingIsLeftBehind: what has left is in none of the three structures, or
// a store would grow under a budget that knows nothing of it.
func TestNothingIsLeftBehind(t *testing.T) {
	s := New(Config{Budget: 128 << 10, MaxVariants: 3, Poison: true})
	for i := range 500 {
		tryPut(s, i%40, fmt.Sprint(i%7), i, state(store.State(i%4)))
	}
	storetest.Empty(t, s)
	for i := range s.table.shards {
		checkEmpty(t, "shard", &s.table.shards[i].mu.buckets)
	}
	for i := range s.urls.parts {
		checkEmpty(t, "part of the URLs", &s.urls.parts[i].mu.buckets)
	}
	if q := &s.queue.mu; q.length != 0 || q.newest != 0 || q.oldest != 0 || q.hand != 0 || q.reaper != 0 {
		t.Errorf("the queue has %d records", q.length)
	}
	if n := len(s.judges.mu.number); n != 0 {
		t.Errorf("%d judges", n)
	}
	index := s.Stats().Index
	for _, c := range s.AppendClasses(nil) {
		if int64(c.Used*c.Bytes) != index {
			t.Errorf("%d slots of %d bytes in use", c.Used, c.Bytes)
		}
	}
}

func checkEmpty(t *testing.T, what string, b *buckets) {
	t.Helper()
	if b.entries != 0 {
		t.Errorf("%s: %d records", what, b.entries)
	}
	for i := range b.n {
		if *b.at(i) != 0 {
			t.Errorf("%s: bucket %d is not empty", what, i)
		}
	}
}
