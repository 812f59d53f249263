package sim

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
)

var (
	seed = flag.Uint64("sim.seed", 0, "replay one run; 0: draw seeds")
	runs = flag.Int("sim.n", 10, "how many runs, or how often one")
)

// run carries out one run in a bubble.
func run(t *testing.T, cfg Config) (r Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { r = Run(cfg) })
	return r
}

// TestRandomHistories lets random things happen to random clusters.
func TestRandomHistories(t *testing.T) {
	var total Counts
	for range *runs {
		s := *seed
		if s == 0 {
			s = rand.Uint64()
		}
		r := run(t, Config{Seed: s})
		if len(r.Broken) > 0 {
			t.Fatalf("make sim SEED=%d N=20 replays this, as far as the order of goroutines allows\n%s\n\n%s",
				s, strings.Join(r.Broken, "\n"), strings.Join(r.Events, "\n"))
		}
		total.add(r.Counts)
	}
	t.Logf("%d runs: %+v", *runs, total)
}
