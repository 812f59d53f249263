//go:build !race

package sim

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestManyNodes lets random things happen to as many nodes as have others pass
// their packets on by default.
func TestManyNodes(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	r := run(t, Config{Seed: s, Nodes: 70, Steps: 25})
	if len(r.Broken) > 0 || r.Counts.Relayed == 0 {
		t.Errorf("seed %d: %+v\n%s\n\n%s", s, r.Counts, strings.Join(r.Broken, "\n"), strings.Join(r.Events, "\n"))
	}
	t.Logf("%+v", r.Counts)
}
