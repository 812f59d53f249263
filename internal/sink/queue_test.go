package sink

import (
	"math/rand/v2"
	"strings"
	"testing"
)

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
	var b batch
	q.take(&b)
	if b.lines() != 3 || string(b.data) != "\n\n\n" {
		t.Errorf("took %d lines, %q", b.lines(), b.data)
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
	var b batch
	q.take(&b)
	if string(b.data) != "abc\n" {
		t.Errorf("took %q", b.data)
	}
}

func TestPutDoesNotAllocate(t *testing.T) {
	q, line := newQueue(lineFrames{}, 1<<20, 1<<10), []byte(strings.Repeat("x", 250))
	var b batch
	fill := func() {
		for q.put(line) {
		}
		q.take(&b)
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

func BenchmarkPut(b *testing.B) {
	for name, frames := range map[string]framer{"lines": lineFrames{}, "syslog": newSyslogFrames(Target{app: "x"}, "h", true)} {
		b.Run(name, func(b *testing.B) {
			q, line := newQueue(frames, DefaultQueueBytes, DefaultQueueLines), []byte(strings.Repeat("x", 250))
			var out batch
			b.ReportAllocs()
			for b.Loop() {
				if !q.put(line) {
					q.take(&out)
				}
			}
		})
	}
}
