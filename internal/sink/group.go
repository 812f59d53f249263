package sink

import (
	"context"
	"errors"
	"sync"
)

// Group gives each line to several sinks. None of them waits for another.
type Group []*Sink

// Put gives a line to all sinks.
func (g Group) Put(line []byte) {
	for _, s := range g {
		s.Put(line)
	}
}

// Dropped returns how many lines the sinks lost together. A line that two of
// them lost counts twice.
func (g Group) Dropped() (n uint64) {
	for _, s := range g {
		n += s.Dropped()
	}
	return n
}

// Reopen reopens all sinks.
func (g Group) Reopen() {
	for _, s := range g {
		s.Reopen()
	}
}

// Close closes all sinks at once and returns their errors together.
func (g Group) Close(ctx context.Context) error {
	errs := make([]error, len(g))
	var closing sync.WaitGroup
	for i, s := range g {
		closing.Go(func() { errs[i] = s.Close(ctx) })
	}
	closing.Wait()
	return errors.Join(errs...)
}
