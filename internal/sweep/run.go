package sweep

import (
	"context"
	"time"
)

const (
	// lookEvery is how often the sweeper looks whether a pass is due. Purges that
	// come of age within one look share a pass.
	lookEvery = time.Second

	// idleEvery is the pause between passes while no purge can be settled: they
	// then only find what has expired, and looking at everything is not free.
	idleEvery = time.Minute

	// leastPause and mostPause bound the time from the end of one pass to the
	// next while purges come of age all the time. In between it is pauses times
	// as long as the pass took: a tenth of a pass that takes a tenth of a core.
	// Dead objects cost nothing but memory until then, and where that is short
	// they go first anyway.
	leastPause = lookEvery
	mostPause  = 10 * time.Second
	pauses     = 9
)

// Run makes passes until the context ends: soon after purges that can no longer
// be undone, and now and then without.
func (s *Sweeper) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var ended time.Time // the last pass
	var pause time.Duration
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		since := now.Sub(ended)
		if since < idleEvery && (since < pause || !s.Engine.Due(now.UnixNano())) {
			continue
		}
		dropped := s.Pass(ctx)
		ended = time.Now()
		pause = pauseAfter(ended.Sub(now), dropped)
	}
}

// pauseAfter returns how long to wait after a pass. Where one dropped no marks a
// fetch under way still needs them, and the next would find as little.
func pauseAfter(took time.Duration, dropped int) time.Duration {
	if dropped == 0 {
		return mostPause
	}
	return min(max(pauses*took, leastPause), mostPause)
}
