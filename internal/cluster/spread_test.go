package cluster_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/journal"
)

func TestAPurgeTakesOneWayDelay(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(40*time.Millisecond))
		defer r.stop()
		nodes := r.many(5, 3)
		r.start(nodes...)
		r.ready(nodes...)
		began := time.Now()
		ids := nodes[2].issue(1, 60)
		r.until(time.Second, "applied everywhere", func() bool { return all(nodes, ids) })
		for _, n := range nodes {
			if at, _ := n.appliedAt(ids[0]); at.Sub(began) > 41*time.Millisecond {
				t.Errorf("%s applied after %v, want one way of 40 ms", n.name, at.Sub(began))
			}
		}
	})
}

func TestConvergenceUnderLoss(t *testing.T) {
	for _, loss := range []float64{0.01, 0.05, 0.2} {
		t.Run(fmt.Sprint(loss), func(t *testing.T) {
			run(t, func(t *testing.T) {
				seed := anySeed()
				r := newRig(t, seed, perfect(30*time.Millisecond))
				defer r.stop()
				nodes := r.many(8, 4)
				r.start(nodes...)
				r.ready(nodes...)
				r.net.SetLink(func(_, _ netip.Addr) simnet.Link {
					return simnet.Link{Delay: 30 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: loss, Duplicate: loss}
				})
				var slowest time.Duration
				for i := range 60 {
					began := time.Now()
					ids := nodes[i%len(nodes)].issue(1+i%3, 60)
					r.until(5*time.Second, "applied everywhere", func() bool { return all(nodes, ids) })
					slowest = max(slowest, time.Since(began))
				}
				t.Logf("slowest %v", slowest)
				if slowest > 2*time.Second {
					t.Errorf("the slowest took %v", slowest)
				}
				for _, n := range nodes {
					if n.twice > 0 {
						t.Errorf("%s applied %d entries twice", n.name, n.twice)
					}
				}
			})
		})
	}
}

func TestOneLossCostsAFewMilliseconds(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(100*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 3)
		r.start(nodes...)
		r.ready(nodes...)
		// The first packet of the entry is lost on one way, and no other.
		from, to := []netip.Addr{nodes[0].host.Addr()}, []netip.Addr{nodes[1].host.Addr()}
		began := time.Now()
		r.net.Block(from, to, true)
		ids := nodes[0].issue(1, 60)
		time.Sleep(time.Millisecond)
		r.net.Block(from, to, false)
		r.until(time.Second, "applied everywhere", func() bool { return all(nodes, ids) })
		if took := time.Since(began); took > 110*time.Millisecond {
			t.Errorf("took %v, want the delay of 100 ms and little more", took)
		}
	})
}

func TestASlowMemberHoldsUpNobody(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(4, 2)
		r.start(nodes...)
		r.ready(nodes...)
		slow, others := nodes[3], nodes[:3]
		slow.host.SetSlow(700 * time.Millisecond)
		for range 20 {
			began := time.Now()
			ids := nodes[0].issue(50, 100)
			r.until(time.Second, "applied by the quick ones", func() bool { return all(others, ids) })
			if took := time.Since(began); took > 60*time.Millisecond {
				t.Fatalf("the quick members took %v", took)
			}
			if err := nodes[0].cluster.Admit(); err != nil {
				t.Fatalf("the front door: %v", err)
			}
		}
		slow.host.SetSlow(0)
		last := nodes[0].issue(1, 10)
		r.until(20*time.Second, "the slow one has caught up", func() bool {
			return nodes[0].cluster.Members()[3].Behind == 0 && all(nodes, last)
		})
	})
}

func TestLargeEntriesGoByStream(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(9, 3)
		for _, n := range nodes {
			n.cfg = func(c *cluster.Config) { c.RelayFrom = 6 }
		}
		r.start(nodes...)
		r.ready(nodes...)
		ids := nodes[0].issue(3, 260<<10)
		took := r.until(5*time.Second, "applied everywhere", func() bool { return all(nodes, ids) })
		if took > 500*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestRelaysPassOnAndAreReplaced(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(40*time.Millisecond))
		defer r.stop()
		nodes := r.many(21, 3)
		for _, n := range nodes {
			n.cfg = func(c *cluster.Config) { c.RelayFrom = 12 }
		}
		r.start(nodes...)
		r.ready(nodes...)
		ids := nodes[0].issue(1, 60)
		took := r.until(time.Second, "applied everywhere", func() bool { return all(nodes, ids) })
		if took > 90*time.Millisecond {
			t.Errorf("two hops of 40 ms took %v", took)
		}
		sent := nodes[0].cluster.Stats().SentPackets
		missing := wait(t, nodes[0], ids[0], cluster.WaitAll, time.Second)
		if len(missing) > 0 {
			t.Errorf("not acknowledged through relays: %v", missing)
		}
		nodes[0].issue(1, 60)
		if n := nodes[0].cluster.Stats().SentPackets - sent; n > 40 {
			t.Errorf("%d packets sent for an entry and its repetition to 20 members", n)
		}
		var relays []*node
		for _, n := range nodes {
			if n.cluster.Stats().PassedOn > 0 {
				relays = append(relays, n)
			}
		}
		if len(relays) != 4 {
			t.Fatalf("%d relays for two other POPs, want 4", len(relays))
		}
		// Both relays of a POP vanish without a word.
		for _, n := range relays {
			if n.pop == relays[0].pop {
				n.host.Crash()
			}
		}
		var rest []*node
		for _, n := range nodes {
			if !(slices.Contains(relays, n) && n.pop == relays[0].pop) {
				rest = append(rest, n)
			}
		}
		ids = nodes[0].issue(1, 60)
		took = r.until(2*time.Second, "applied by who is left", func() bool { return all(rest, ids) })
		t.Logf("with both relays dead: %v", took)
	})
}

func wait(t *testing.T, n *node, id journal.ID, level cluster.Level, limit time.Duration) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	missing, err := n.cluster.WaitFor(ctx, id, level)
	if err != nil {
		t.Fatal(err)
	}
	return missing
}
