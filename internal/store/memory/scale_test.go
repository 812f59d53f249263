package memory

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// objectsFlag is how many objects the benchmarks of size store. Ten million take
// about 20 GB, with bodies of 100 bytes 11.
var (
	objectsFlag = flag.Int("objects", 1_000_000, "objects that benchmarks of size store")
	bodyFlag    = flag.Int("body", 1024, "bytes of the body of each of them, at least 8")
)

// typical is a response as origins send them: a page of 1 KiB, ten fields of
// about 350 bytes, three surrogate keys, a path of three segments.
func typical(i int) (store.HeadSpec, int) {
	var tags []field.Tag
	for t := range 12 {
		tags = append(tags, field.Tag(spread(uint64(i*16+t))))
	}
	keys := []string{"product-" + fmt.Sprint(i), "category-12", "home"}
	return store.HeadSpec{
		Status: 200,
		Fields: field.Fields{
			{Name: "Date", Value: "Sat, 21 Nov 2026 10:18:10 GMT"}, {Name: "Server", Value: "Apache"},
			{Name: "Content-Type", Value: "text/html; charset=utf-8"}, {Name: "Content-Length", Value: "1024"},
			{Name: "Last-Modified", Value: "Fri, 20 Nov 2026 09:00:00 GMT"}, {Name: "ETag", Value: `"65f-61b2c9d0a4e80"`},
			{Name: "Cache-Control", Value: "public, max-age=300, stale-while-revalidate=60"}, {Name: "Vary", Value: "Accept-Encoding"},
			{Name: "Strict-Transport-Security", Value: "max-age=31536000"},
			{Name: "Surrogate-Key", Value: keys[0] + " category-12 home"},
		},
		Hidden: func(name string) bool { return name == "Surrogate-Key" },
		Tags:   tags, Keys: keys,
		Times:   field.Times{Fresh: math.MaxInt64, SWR: math.MaxInt64, SIE: math.MaxInt64, Keep: math.MaxInt64},
		Variant: "accept-encoding:gzip", URL: fmt.Sprintf("https://www.example.com/category-12/products/product-%08d", i), Length: int64(*bodyFlag),
	}, *bodyFlag
}

func putTypical(s *Store, i int) bool {
	spec, size := typical(i)
	body := s.NewBody(int64(size))
	room, err := body.Buffer()
	if err != nil {
		body.Release()
		return false
	}
	binary.LittleEndian.PutUint64(room, uint64(i))
	body.Commit(size)
	body.Complete(nil)
	return putDraft(s, store.Draft{Key: key(i), Head: store.NewHead(spec), Body: body, Judge: live})
}

// TestBytesAnObject: what a small response takes of the budget, everything
// included, and that the heap has no part of it.
func TestBytesAnObject(t *testing.T) {
	const objects = 4_000
	s := New(Config{Budget: 64 << 20})
	before := heapObjects()
	for i := range objects {
		if !putTypical(s, i) {
			t.Fatal("no room")
		}
	}
	more := heapObjects() - before
	stats := s.Stats()
	each := (stats.Bytes + stats.Index) / objects
	t.Logf("%d bytes an object of 1 KiB; %d more objects on the heap", each, more)
	if each > 2200 {
		t.Errorf("a response of 1 KiB takes %d bytes", each)
	}
	if more > objects/10 {
		t.Errorf("%d responses are %d objects on the heap", objects, more)
	}
	runtime.KeepAlive(s)
}

func heapObjects() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapObjects)
}

// TestShiftingSizes: whatever the sizes of what is stored were before, the next
// mix of them fills the budget as well, and never more than that.
func TestShiftingSizes(t *testing.T) {
	const budget = 4 << 20
	s := New(Config{Budget: budget})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for phase, most := range []int{300, 60_000, 1500, 200_000, 20, 9000} {
		var put, refused, inUse, looks int64
		for i := 0; put < 2*budget; i++ {
			size := rnd.IntN(most)
			if tryPut(s, phase<<32+i, "", size, live) {
				put += int64(size) + 400
			} else {
				refused++
			}
			if slabs := s.pool.Stats().Mapped; slabs > budget {
				t.Fatalf("%d bytes in slabs of %d", slabs, budget)
			}
			if put > budget {
				inUse += s.Stats().Bytes
				looks++
			}
		}
		// On average: of large objects, one that comes may make several go. Their 83% has a
		// deviation of 1.4% from run to run; at one moment it is below 60% once in a million.
		if mean := inUse / looks; refused > 0 || mean < budget*3/5 {
			t.Errorf("up to %d bytes: %d refused, %d bytes of %d in use", most, refused, mean, budget)
		}
	}
}

// TestShiftingSizesConcurrently is the same by many at once.
func TestShiftingSizesConcurrently(t *testing.T) {
	const budget = 4 << 20
	s := New(Config{Budget: budget, Poison: true})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for phase, most := range []int{300, 30_000, 2000} {
		var users sync.WaitGroup
		for g := range 4 {
			users.Go(func() {
				rnd := rand.New(rand.NewPCG(seed, uint64(phase*10+g)))
				for i := range 1000 * 1000 / (most + 1000) {
					tryPut(s, phase<<40+g<<32+i, "", rnd.IntN(most), live)
					hit(s, phase<<40+g<<32+rnd.IntN(i+1))
					if slabs := s.pool.Stats().Mapped; slabs > budget {
						t.Errorf("%d bytes in slabs of %d", slabs, budget)
					}
				}
			})
		}
		users.Wait()
	}
	var stored int64
	s.Walk(func(o store.Object) bool { stored += o.Cost(); return true })
	if got := s.Stats().Bytes; got != stored {
		t.Errorf("%d bytes in use, %d stored", got, stored)
	}
}

// resident returns the bytes of memory that the process has.
func resident(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("no statm")
	}
	var size, pages int64
	fmt.Sscan(string(text), &size, &pages)
	return pages * int64(os.Getpagesize())
}

// BenchmarkSize stores -objects typical responses and reports what each takes,
// how long a look-up takes then, and what the collector costs.
func BenchmarkSize(b *testing.B) {
	n := *objectsFlag
	for b.Loop() {
		runtime.GC()
		before := resident(b)
		s := New(Config{Budget: int64(n) * (1476 + int64(*bodyFlag))})
		began := time.Now()
		var worst time.Duration
		for i := range n {
			then := time.Now()
			if !putTypical(s, i) {
				b.Fatal("no room")
			}
			worst = max(worst, time.Since(then))
		}
		stats := s.Stats()
		if stats.Objects != int64(n) {
			b.Fatalf("%+v", stats)
		}
		each := func(bytes int64) float64 { return float64(bytes) / float64(n) }
		b.ReportMetric(float64(time.Since(began).Nanoseconds())/float64(n), "ns/put")
		b.ReportMetric(float64(worst.Microseconds()), "us/worst-put")
		began = time.Now()
		runtime.GC()
		b.ReportMetric(float64(time.Since(began).Microseconds()), "us/GC")
		b.ReportMetric(each(resident(b)-before), "resident-B/object")
		b.ReportMetric(each(stats.Slabs), "slabs-B/object")
		b.ReportMetric(each(stats.Bytes+stats.Index), "counted-B/object")
		b.ReportMetric(float64(longest("/sched/pauses/total/gc:seconds")), "us/longest-pause")
		b.ReportMetric(lookups(s, n), "ns/lookup-p99")
	}
}

// longest returns the largest bucket of a histogram of seconds that has any
// count, in microseconds.
func longest(name string) (us float64) {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	h := sample[0].Value.Float64Histogram()
	for i, n := range h.Counts {
		if n > 0 {
			us = h.Buckets[i] * 1e6
		}
	}
	return us
}

// lookups returns the 99th percentile of the time that random look-ups take.
func lookups(s *Store, n int) float64 {
	took := make([]int64, 200_000)
	for i := range took {
		k := rand.IntN(n)
		began := time.Now()
		hit(s, k)
		took[i] = int64(time.Since(began))
	}
	slices.Sort(took)
	return float64(took[len(took)*99/100])
}

// BenchmarkChurn stores into a full store of a size mix that shifts: each Put
// evicts, and slabs change the size of their slots.
func BenchmarkChurn(b *testing.B) {
	const budget = 256 << 20
	s := New(Config{Budget: budget})
	rnd := rand.New(rand.NewPCG(1, 2))
	before := resident(b)
	mix := []int{500, 100_000, 3000, 20_000}
	i := 0
	for ; s.Stats().Gone[store.Evicted] == 0; i++ {
		tryPut(s, i, "", rnd.IntN(mix[0]), live)
	}
	worst := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		i++
		began := time.Now()
		if !tryPut(s, i, "", rnd.IntN(mix[i/100_000%len(mix)]), live) {
			b.Fatal("refused")
		}
		worst = max(worst, time.Since(began))
	}
	stats := s.Stats()
	b.ReportMetric(float64(resident(b)-before)/budget, "resident/budget")
	b.ReportMetric(float64(stats.Bytes+stats.Index)/budget, "used/budget")
	b.ReportMetric(float64(worst.Microseconds()), "us/worst")
	b.ReportMetric(float64(stats.Gone[store.Evicted])/float64(stats.Stored), "evicted/stored")
}
