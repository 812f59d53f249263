package app

import (
	"runtime"
	"testing"
)

// A node with a ballast lets its heap grow by as much before it collects.
func TestBallastSpacesCollections(t *testing.T) {
	const memory = 1 << 30
	b := newBallast(memory, func(string) string { return "" })
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if room := stats.NextGC - stats.HeapAlloc; room < memory/ballastShare {
		t.Errorf("the next collection comes after %d bytes", room)
	}
	runtime.KeepAlive(b)
}

func TestBallastIsBounded(t *testing.T) {
	for memory, want := range map[int64]int{1 << 20: 32 << 10, 256 << 20: 8 << 20, 1 << 40: 64 << 20} {
		if n := len(newBallast(memory, func(string) string { return "" })); n != want {
			t.Errorf("%d bytes for %d, want %d", n, memory, want)
		}
	}
}

// Who sets the collector's own variables decides alone.
func TestNoBallastBesideTheOperatorsWord(t *testing.T) {
	for _, set := range []string{"GOGC", "GOMEMLIMIT"} {
		b := newBallast(1<<30, func(name string) string {
			if name == set {
				return "400"
			}
			return ""
		})
		if len(b) > 0 {
			t.Errorf("%s: %d bytes", set, len(b))
		}
	}
}
