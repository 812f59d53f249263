//go:build e2e

package test

import (
	"testing"
	"time"
)

const (
	// patience is how long something may take that is under way. It is far more
	// than any of it needs, so that a busy machine fails no test.
	patience = time.Minute
	// glance is the pause between two looks at something under way.
	glance = 5 * time.Millisecond
)

// eventually waits until done, and fails the test where that takes too long.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("in vain for %v: %s", patience, what)
		case <-tick.C:
		}
	}
}

// within waits for a channel to be closed or to give a value.
func within[T any](t *testing.T, what string, c <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-c:
	case <-time.After(patience):
		t.Fatalf("in vain for %v: %s", patience, what)
	}
	return value
}
