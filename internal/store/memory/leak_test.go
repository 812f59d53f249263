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
	s := New(Config{Budget: 64 << 10, MaxVariants: 3})
	for i := range 500 {
		if o := object(s, i%40, fmt.Sprint(i%7), i, state(store.State(i%4))); o != nil {
			s.Put(o)
		}
	}
	storetest.Empty(t, s)
	for i := range s.table.shards {
		if n := len(s.table.shards[i].mu.chains); n != 0 {
			t.Errorf("shard %d: %d keys", i, n)
		}
	}
	for i := range s.urls.parts {
		if n := len(s.urls.parts[i].mu.lists); n != 0 {
			t.Errorf("part %d: %d URLs", i, n)
		}
	}
	if q := &s.queue.mu; q.length != 0 || q.newest != nil || q.oldest != nil || q.hand != nil || q.reaper != nil {
		t.Errorf("the queue has %d entries", q.length)
	}
}
