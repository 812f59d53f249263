package control

import (
	"fmt"
	"testing"

	"github.com/rescind-edge/rescind/internal/purge"
)

// BenchmarkPurge is what a call costs from its door to its receipt, with an engine
// that does nothing and a journal in memory.
func BenchmarkPurge(b *testing.B) {
	for _, keys := range []int{1, 250} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			n := newNode(b, func(c *Config) { c.Limits = Limits{PerHour: -1, AllPerHour: -1, PerSecond: -1} })
			selectors := make([]purge.Selector, keys)
			for i := range selectors {
				selectors[i] = key(b, fmt.Sprintf("product-%d", i))
			}
			b.ReportAllocs()
			for b.Loop() {
				n.engine.applied, n.sink.purged = nil, nil
				if _, err := n.Purge(with(stranger, "deploy-secret"), Request{Service: "shop", Selectors: selectors, Dialect: "native"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
