package storetest

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/rescind-edge/rescind/internal/store"
)

// seedFlag replays a random history: go test -run ... -args -seed=N.
var seedFlag = flag.Uint64("seed", 0, "seed of random histories; 0: a new one each time")

// New returns an empty store with a budget in bytes. It registers with t what
// the store needs to be closed.
type New func(t *testing.T, budget int64) store.Store

// Run tests stores that open returns. Budgets are at least 256 KiB; a store
// must take a single object of up to a quarter of its budget.
func Run(t *testing.T, open New) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, open New)
	}{
		{"GetReturnsWhatWasPut", testGet},
		{"ObjectWithoutBody", testNoBody},
		{"BodyMustBeWhole", testNotWhole},
		{"PutReplacesSameVariant", testReplace},
		{"GreaterStampStays", testGreaterStamp},
		{"NewestMatchWins", testNewest},
		{"VariantsAreBounded", testVariants},
		{"RemoveOnce", testRemove},
		{"RevalidationSharesBody", testSharedBody},
		{"RemovedStaysReadable", testReadWhileRemoved},
		{"WalkURL", testWalkURL},
		{"WalkStops", testWalkStops},
		{"WalkReenters", testWalkReenters},
		{"WalkHoldsOne", testWalkHoldsOne},
		{"WalkVisitsWhatStays", testWalkChurn},
		{"DeadGoFirst", testDeadFirst},
		{"SpareGoBeforeLive", testSpareFirst},
		{"ExpiredGoBeforeLive", testExpiredFirst},
		{"BudgetHolds", testBudget},
		{"HeldBytesAreCounted", testHeld},
		{"BurstDoesNotOvershoot", testBurst},
		{"Model", testModel},
		{"ModelUnderPressure", testPressure},
		{"Concurrent", testConcurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open) })
	}
}

// random returns a source of random numbers whose seed a failure prints.
func random(t *testing.T) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// Empty removes everything from s and fails unless no object and no byte
// remains: what remains after that was leaked by the store or by the test.
func Empty(t *testing.T, s store.Store) {
	t.Helper()
	s.Walk(func(o store.Object) bool {
		s.Remove(o, store.Removed)
		return true
	})
	if stats := s.Stats(); stats.Objects != 0 || stats.Bytes != 0 {
		t.Errorf("after everything was removed and released: %d objects, %d bytes", stats.Objects, stats.Bytes)
	}
}
