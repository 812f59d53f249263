package memory_test

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/memory"
	"github.com/rescind-edge/rescind/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, budget int64) store.Store {
		return memory.New(memory.Config{Budget: budget, Poison: true})
	})
}

// TestOneShard meets every kind of neighbourhood that the default number of
// shards makes rare.
func TestOneShard(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, budget int64) store.Store {
		return memory.New(memory.Config{Budget: budget, Shards: 1, Poison: true})
	})
}
