package memory

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/rescind-edge/rescind/internal/store"
)

func TestGetDoesNotAllocate(t *testing.T) {
	s := New(Config{Budget: 1 << 20})
	put(t, s, 1, 100, live)
	if n := testing.AllocsPerRun(100, func() { hit(s, 1) }); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
}

func BenchmarkGet(b *testing.B) {
	for _, urls := range []int{1, 100_000} {
		b.Run(fmt.Sprintf("urls=%d", urls), func(b *testing.B) {
			s := New(Config{Budget: 1 << 30})
			for i := range urls {
				put(b, s, i, 100, live)
			}
			var start atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := int(start.Add(7919)); pb.Next(); i++ {
					if !hit(s, i%urls) {
						b.Fatal("miss")
					}
				}
			})
		})
	}
}

// BenchmarkPut stores into a full store: each Put evicts.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{100, 100_000} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			s := New(Config{Budget: 64 << 20})
			var next atomic.Int64
			for s.Stats().Gone[store.Evicted] == 0 {
				put(b, s, int(next.Add(1)), size, live)
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					put(b, s, int(next.Add(1)), size, live)
				}
			})
		})
	}
}

func BenchmarkWalk(b *testing.B) {
	const objects = 100_000
	s := New(Config{Budget: 1 << 30})
	for i := range objects {
		put(b, s, i, 0, live)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Walk(func(store.Object) bool { return true })
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/objects, "ns/object")
}
