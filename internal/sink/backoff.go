package sink

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff spaces attempts: each waits about twice as long as the one before.
// Half of the time is left to chance, so that nodes which lost the same
// collector do not all come back at once.
type backoff struct {
	least, most time.Duration
	next        time.Duration // zero: least
}

// delay returns how long to wait now.
func (b *backoff) delay() time.Duration {
	d := max(b.next, b.least)
	b.next = min(2*d, b.most)
	return d/2 + rand.N(d/2+1)
}

// reset begins again with the least.
func (b *backoff) reset() { b.next = 0 }

// sleep waits, and returns the cause if ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
