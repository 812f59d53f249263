package cluster_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/journaled"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/ports"
)

// real is a member on the loopback interface.
type real struct {
	cluster *cluster.Cluster
	journal journaled.Journal
	applied atomic.Int64
}

func startReal(tb testing.TB, count int) []*real {
	tb.Helper()
	var nodes []*real
	join := ""
	for i, port := range ports.For(tb, count) {
		j, err := durable.Open(durable.Config{})
		if err != nil {
			tb.Fatal(err)
		}
		n := &real{journal: journaled.Journal{Journal: j}}
		j.Start(func(steps []durable.Step) { n.applied.Add(int64(len(steps))) })
		cfg := cluster.Config{
			Name: fmt.Sprintf("n%d", i), POP: "pop", Secrets: [][]byte{secret}, Journal: n.journal,
			Bind: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)), Rate: 1 << 30,
		}
		if join == "" {
			join = cfg.Bind.String()
		} else {
			cfg.Join = []string{join}
		}
		if n.cluster, err = cluster.New(cfg); err != nil {
			tb.Fatal(err)
		}
		if err := n.cluster.Start(); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if err := n.cluster.Close(); err != nil {
				tb.Error(err)
			}
		})
		nodes = append(nodes, n)
	}
	within(tb, time.Minute, func() bool {
		for _, n := range nodes {
			if !n.cluster.Ready() || len(n.cluster.Members()) != count {
				return false
			}
		}
		return true
	})
	return nodes
}

// within waits for a condition of real processes, at most a while.
func within(tb testing.TB, limit time.Duration, cond func() bool) {
	tb.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); !cond(); <-tick.C {
		if time.Since(began) > limit {
			tb.Fatalf("not within %v", limit)
		}
	}
}

func TestOverSockets(t *testing.T) {
	nodes := startReal(t, 3)
	step, _, err := nodes[0].journal.Append(journal.Draft{Kind: journal.KindPurge, Body: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	nodes[0].cluster.Publish([]journal.Entry{step.Entry})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	missing, err := nodes[0].cluster.WaitFor(ctx, step.Entry.ID, cluster.WaitAll)
	if err != nil || len(missing) > 0 {
		t.Fatalf("missing %v, error %v", missing, err)
	}
}

// BenchmarkEntry is what an entry costs from one member to three others, all on
// this machine: CPU of sender and receivers together.
func BenchmarkEntry(b *testing.B) {
	for _, batch := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			const receivers = 3
			nodes := startReal(b, receivers+1)
			body := make([]byte, 60)
			before := nodes[0].cluster.Stats().SentBytes
			b.ResetTimer()
			for sent := 0; sent < b.N; {
				var entries []journal.Entry
				for range min(batch, b.N-sent) {
					step, _, err := nodes[0].journal.Append(journal.Draft{Kind: journal.KindPurge, Body: body})
					if err != nil {
						b.Fatal(err)
					}
					entries = append(entries, step.Entry)
				}
				nodes[0].cluster.Publish(entries)
				sent += len(entries)
				// The front door would not let the receivers fall behind.
				within(b, time.Minute, func() bool {
					for _, n := range nodes[1:] {
						if n.applied.Load() < int64(sent)-2048 {
							return false
						}
					}
					return true
				})
			}
			within(b, time.Minute, func() bool {
				for _, n := range nodes[1:] {
					if n.applied.Load() < int64(b.N) {
						return false
					}
				}
				return true
			})
			b.StopTimer()
			sent := nodes[0].cluster.Stats().SentBytes - before
			b.ReportMetric(float64(sent)/float64(b.N)/receivers, "wire-bytes/entry/member")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/receivers, "ns/entry/member")
		})
	}
}
