package sink

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// takeAll takes what waits.
func takeAll(q *queue) (text string, lines int) {
	pages, _ := q.take(nil)
	for _, p := range pages {
		b := p.batch()
		text, lines = text+string(b.data), lines+b.lines()
		q.release(p)
	}
	return text, lines
}

func TestQueueIsBoundedInBytesAndLines(t *testing.T) {
	q := newQueue(lineFrames{}, 10, 3)
	for i, c := range []struct {
		line string
		want bool
	}{{"aaaa", true}, {"bbbbb", false}, {"bbbb", true}, {"", false}} {
		if got := q.put([]byte(c.line)); got != c.want {
			t.Errorf("line %d: taken %v", i, got)
		}
	}
	q = newQueue(lineFrames{}, 1000, 3)
	for i, want := range []bool{true, true, true, false} {
		if got := q.put(nil); got != want {
			t.Errorf("empty line %d: taken %v", i, got)
		}
	}
	if text, lines := takeAll(q); lines != 3 || text != "\n\n\n" {
		t.Errorf("took %d lines, %q", lines, text)
	}
	if !q.put(nil) {
		t.Error("no room after everything was taken")
	}
	if q.put(make([]byte, MaxLine+1)) {
		t.Error("a line beyond MaxLine was taken")
	}
	q.close()
	if q.put(nil) {
		t.Error("a line was taken after close")
	}
}

func TestLinesAreCopied(t *testing.T) {
	q, line := newQueue(lineFrames{}, 100, 10), []byte("abc")
	q.put(line)
	line[0] = 'X'
	if text, _ := takeAll(q); text != "abc\n" {
		t.Errorf("took %q", text)
	}
}

func TestPutDoesNotAllocate(t *testing.T) {
	q, line := newQueue(lineFrames{}, 1<<20, 1<<10), []byte(strings.Repeat("x", 250))
	var pages []*page
	fill := func() {
		for q.put(line) {
		}
		pages, _ = q.take(pages)
		for _, p := range pages {
			q.release(p)
		}
	}
	fill()
	fill() // both sides have their memory now
	if n := testing.AllocsPerRun(10, fill); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The frame arithmetic against a dumb count, for any lengths.
func TestBatchArithmetic(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		var b batch
		for range random.IntN(8) {
			b.data = append(b.data, make([]byte, 1+random.IntN(5))...)
			b.ends = append(b.ends, len(b.data))
		}
		for n := range len(b.data) + 1 {
			want := 0
			for _, end := range b.ends {
				if end <= n {
					want++
				}
			}
			if got := b.within(n); got != want {
				t.Fatalf("seed %d: %v: %d frames within %d, want %d", seed, b.ends, got, n, want)
			}
		}
		for from := range b.lines() {
			n := random.IntN(12)
			to := b.upTo(from, n)
			if to <= from || to > b.lines() || to > from+1 && b.start(to)-b.start(from) > n ||
				to < b.lines() && b.start(to+1)-b.start(from) <= n {
				t.Fatalf("seed %d: %v: from %d at most %d bytes: up to %d", seed, b.ends, from, n, to)
			}
		}
	}
}

// BenchmarkPut has a writer behind the queue that throws all away.
func BenchmarkPut(b *testing.B) {
	for name, frames := range map[string]framer{"lines": lineFrames{}, "syslog": newSyslogFrames(Target{app: "x"}, "h", true)} {
		b.Run(name, func(b *testing.B) {
			q := newQueue(frames, DefaultQueueBytes, DefaultQueueLines)
			var draining sync.WaitGroup
			draining.Go(func() { discard(q) })
			var dropped atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				line := []byte(strings.Repeat("x", 450))
				for n := 0; pb.Next(); n++ {
					if n%64 == 0 {
						runtime.Gosched()
					}
					if !q.put(line) {
						dropped.Add(1)
					}
				}
			})
			b.ReportMetric(float64(dropped.Load())/float64(b.N), "dropped/op")
			q.close()
			draining.Wait()
		})
	}
}

// discard throws away what comes until the queue is closed.
func discard(q *queue) {
	var pages []*page
	for q.wait(lingerLocal) {
		pages, _ = q.take(pages)
		for _, p := range pages {
			p.batch()
			q.release(p)
		}
	}
}
