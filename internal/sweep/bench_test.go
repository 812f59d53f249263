//go:build unix

package sweep

import (
	"context"
	"encoding/binary"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/memory"
)

// BenchmarkPass measures what a pass costs for each object, where all are dead
// and where none is: processor time, which is a tenth of what it takes.
func BenchmarkPass(b *testing.B) {
	const objects = 200_000
	for name, tag := range map[string]field.Tag{"dead": 1, "live": 2} {
		b.Run(name, func(b *testing.B) {
			var spent time.Duration
			for b.Loop() {
				b.StopTimer()
				engine := purge.NewEngine(purge.Config{UndoWindow: -1})
				marks := engine.Service("shop")
				s := &Sweeper{Store: memory.New(memory.Config{Budget: objects * 2500}), Engine: engine}
				fillShelf(b, s.Store, &fetch.Judge{Marks: marks}, objects)
				now := time.Now()
				engine.Apply(now.UnixNano(), purge.Purge{ID: purge.NewID(now.UnixMilli()), Service: "shop", Tags: purge.Tags{tag}})
				runtime.GC()
				before := cpuTime(b)
				b.StartTimer()
				s.Store.Walk(func(o store.Object) bool {
					s.settle(o, now.UnixNano()+1)
					return true
				})
				b.StopTimer()
				spent += cpuTime(b) - before
				if left := s.Store.Stats().Objects; (left == 0) != (name == "dead") {
					b.Fatalf("%d objects are left", left)
				}
				s.Pass(context.Background())
				b.StartTimer()
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/objects, "cpu-ns/object")
		})
	}
}

// fillShelf stores objects of one kilobyte with twelve tags.
func fillShelf(b *testing.B, s store.Store, judge store.Judge, n int) {
	b.Helper()
	times := long.from(time.Now())
	for i := range n {
		body := s.NewBody(1024)
		room, err := body.Buffer()
		if err != nil {
			b.Fatal(err)
		}
		body.Commit(min(len(room), 1024))
		body.Complete(nil)
		tags := []field.Tag{field.Tag(i)<<8 | 3, 1}
		for t := range 10 {
			tags = append(tags, field.Tag(i)<<8|field.Tag(t+16))
		}
		var k field.Key
		binary.LittleEndian.PutUint64(k[:], uint64(i)*0x9e3779b97f4a7c15)
		head := store.NewHead(store.HeadSpec{Status: 200, Tags: tags, Times: times, Length: 1024})
		o := s.Put(store.Draft{Key: k, Head: head, Body: body, Judge: judge})
		if !o.Found() {
			b.Fatal("not stored")
		}
		o.Release()
		body.Release()
	}
}

// cpuTime returns the processor time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Skip(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
