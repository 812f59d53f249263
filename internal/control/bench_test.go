package control

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/journal/wire"
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

// BenchmarkReceive is what an entry of another node costs from its message until
// it is in force, and its part of a sync of 128, with the real engine and a disk in
// memory. It is a part of what bench/cluster measures: no packet is received.
func BenchmarkReceive(b *testing.B) {
	for _, batch := range []int{1, 16} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			n := newNode(b)
			disk := vfs.NewMemory()
			j, err := durable.Open(durable.Config{Items: Items, FS: disk})
			if err != nil {
				b.Fatal(err)
			}
			if n.Control, err = New(Parts{Engine: purge.NewEngine(purge.Config{}), Hasher: n.hasher, Journal: j, Node: "n1"}, n.cfg); err != nil {
				b.Fatal(err)
			}
			messages := messagesOf(b, b.N, batch)
			var entries []journal.Entry
			b.ReportAllocs()
			b.ResetTimer()
			for i, m := range messages {
				if entries, err = wire.ParseBatchInto(entries[:0], m); err != nil {
					b.Fatal(err)
				}
				if _, _, err := j.Receive(entries); err != nil {
					b.Fatal(err)
				}
				if i*batch%128 == 0 {
					if err := j.Sync(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// messagesOf returns messages of another node's purges of one key each.
func messagesOf(b *testing.B, total, batch int) (messages [][]byte) {
	b.Helper()
	var entries []journal.Entry
	for i := range total {
		r := Receipt{
			ID: purge.NewID(int64(i)), Service: "shop", Accepted: time.Now(), Actor: "deploy", Dialect: "native", Node: "ams1-a",
			Selectors: []purge.Selector{key(b, fmt.Sprintf("key-%d", i%100_000))},
		}
		entries = append(entries, journal.Entry{
			ID: journal.ID{Incarnation: journal.Incarnation{7}, Seq: uint64(i + 1)}, Kind: journal.KindPurge,
			Time: time.Now().UnixMilli(), Body: appendPurge(nil, &r),
		})
		if len(entries) == batch || i == total-1 {
			m, _ := wire.AppendBatch(nil, entries, 1<<20)
			messages, entries = append(messages, m), nil
		}
	}
	return messages
}
