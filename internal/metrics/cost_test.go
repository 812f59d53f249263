package metrics

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

func hit() Served {
	return Served{Service: "shop", Outcome: event.OutcomeHit, Status: 200, Sent: 4096, Duration: 30 * time.Microsecond}
}

func TestObservingDoesNotAllocate(t *testing.T) {
	m := New(Config{Services: []string{"shop"}})
	if n := testing.AllocsPerRun(1000, func() { m.Observe(hit()) }); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	m := New(Config{Services: []string{"shop", "blog", "docs"}})
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(hit())
	}
}

func BenchmarkObserveParallel(b *testing.B) {
	m := New(Config{Services: []string{"shop", "blog", "docs"}})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Observe(hit())
		}
	})
}
