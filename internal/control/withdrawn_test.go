package control

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/journal/durable"
)

// What a node withdraws by itself, because it has missed purges, is no purge of
// everything that somebody asked for.
func TestAGapIsNoPurgeOfEverything(t *testing.T) {
	n := newNode(t)
	n.takeEffect(&durable.Step{Gap: true, Position: 7}, false)
	if len(n.engine.applied) != len(n.cfg.Services) {
		t.Fatalf("%d services were withdrawn", len(n.engine.applied))
	}
	for _, p := range n.engine.applied {
		if p.All || len(p.Tags) != 1 || p.Tags[0] != n.hasher.All(p.Service) {
			t.Errorf("%+v", p)
		}
	}
}
