package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/journal"
)

// TestInForceIsNotTheCommonSync issues entries close to each other: for each of them
// it is known when it was in force on the others, although they sync many at once.
func TestInForceIsNotTheCommonSync(t *testing.T) {
	run(t, func(t *testing.T) {
		const oneWay = 40 * time.Millisecond
		r := newRig(t, 1, perfect(oneWay))
		defer r.stop()
		nodes := r.many(3, 3)
		r.start(nodes...)
		r.ready(nodes...)
		var ids []journal.ID
		for range 30 {
			ids = append(ids, nodes[0].issue(1, 60)...)
			time.Sleep(2 * time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if missing, err := nodes[0].cluster.WaitFor(ctx, ids[len(ids)-1], cluster.WaitAll); err != nil || len(missing) > 0 {
			t.Fatal(missing, err)
		}
		var longest time.Duration
		for _, id := range ids {
			for _, m := range nodes[0].cluster.Progress(id).Members {
				if m.InForce < oneWay-time.Millisecond || m.InForce > oneWay+2*time.Millisecond || m.Took < m.InForce {
					t.Errorf("%d is in force on %s after %v, and durable after %v; one way takes %v", id.Seq, m.Member.Name, m.InForce, m.Took, oneWay)
				}
				longest = max(longest, m.Took-m.InForce)
			}
		}
		if longest < 10*time.Millisecond {
			t.Errorf("the longest wait for a sync took %v: nothing was shown", longest)
		}
	})
}
