package durable

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/journal/wire"
)

// BenchmarkAppend waits for the disk with some writers at once.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			d, err := vfs.OS(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			j, err := Open(Config{FS: d})
			if err != nil {
				b.Fatal(err)
			}
			j.Start(func([]Step) {})
			body := string(make([]byte, 80))
			var left atomic.Int64
			left.Store(int64(b.N))
			var all sync.WaitGroup
			b.ResetTimer()
			for range writers {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						_, ticket, err := j.Append(draft(body))
						if err == nil {
							err = ticket.Wait(context.Background())
						}
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkReceive takes batches of 100 entries from the wire: parse, record,
// apply, and the bytes for the disk, which is memory here: it prices the work,
// not the device. One operation is one entry.
func BenchmarkReceive(b *testing.B) {
	for _, where := range []string{"memory", "disk"} {
		b.Run(where, func(b *testing.B) {
			cfg := Config{}
			if where == "disk" {
				cfg.FS = discard{vfs.NewMemory()}
			}
			j, err := Open(cfg)
			if err != nil {
				b.Fatal(err)
			}
			j.Start(func([]Step) {})
			inc := journal.Incarnation{1}
			batch := make([]journal.Entry, 100)
			var buf []byte
			body := make([]byte, 80)
			b.ReportAllocs()
			for n := 0; n < b.N; n += len(batch) {
				b.StopTimer()
				for i := range batch {
					batch[i] = journal.Entry{
						ID:   journal.ID{Incarnation: inc, Seq: uint64(n + i + 1)},
						Kind: journal.KindPurge, Time: j.now(), Body: body,
					}
				}
				buf, _ = wire.AppendBatch(buf[:0], batch, 1<<20)
				b.StartTimer()
				entries, err := wire.ParseBatch(buf)
				if err != nil {
					b.Fatal(err)
				}
				_, ticket, err := j.Receive(entries)
				if err == nil {
					err = ticket.Wait(context.Background())
				}
				if err != nil {
					b.Fatal(err)
				}
				if n%100_000 == 0 {
					if err := j.Maintain(); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(len(buf))/float64(len(batch))-float64(len(body)), "overhead-B/entry")
		})
	}
}

// discard is a directory whose files forget what is written.
type discard struct{ *vfs.Memory }

func (d discard) Create(name string) (vfs.File, error) {
	f, err := d.Memory.Create(name)
	return nowhere{f}, err
}

func (d discard) Append(name string) (vfs.File, error) {
	f, err := d.Memory.Append(name)
	return nowhere{f}, err
}

type nowhere struct{ vfs.File }

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
