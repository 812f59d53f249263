package sink

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Of what many write at once while a writer takes it away, every line that was
// taken arrives once, whole, and in the order of whoever wrote it; and no more
// waits than may. The queue is small, so that pages fill and are opened again
// all the time; then it closes while lines still come.
func TestEveryLineTakenArrivesOnceAndInOrder(t *testing.T) {
	const writers, each = 6, 1500
	seed := rand.Uint64()
	q := newQueue(lineFrames{}, 1<<16, 1<<10)
	q.pages, q.bytes, q.lines = 4, 1<<14, 1<<8
	q.openLocked()
	taken, refused := new([writers][each]bool), new(atomic.Int64)
	var writing sync.WaitGroup
	for w := range writers {
		random := rand.New(rand.NewPCG(seed, uint64(w)))
		writing.Go(func() {
			for i := range each {
				filler := bytes.Repeat([]byte{'.'}, random.IntN(200))
				if taken[w][i] = q.put(fmt.Appendf(nil, "%d %d %s|", w, i, filler)); !taken[w][i] {
					refused.Add(1)
				}
				if w == 0 && i == each-50 {
					q.close()
				}
			}
		})
	}
	arrived := new([writers][each]bool)
	read := func(line []byte) {
		var w, i int
		if _, err := fmt.Sscanf(string(line), "%d %d", &w, &i); err != nil || line[len(line)-1] != '|' || arrived[w][i] {
			t.Errorf("seed %d: damaged or repeated: %q", seed, line)
			return
		}
		for _, later := range arrived[w][i:] {
			if later {
				t.Errorf("seed %d: line %d of writer %d came late", seed, i, w)
			}
		}
		arrived[w][i] = true
	}
	var pages []*page
	for q.wait(0) {
		if pages, _ = q.take(pages); len(pages) > q.pages {
			t.Errorf("seed %d: %d pages waited", seed, len(pages))
		}
		for _, p := range pages {
			b := p.batch()
			for i := range b.lines() {
				read(b.data[b.start(i) : b.ends[i]-1])
			}
			q.release(p)
		}
	}
	writing.Wait()
	if *arrived != *taken {
		t.Errorf("seed %d: lines that were taken did not arrive, or the other way round", seed)
	}
	if refused.Load() < 49 {
		t.Errorf("seed %d: %d lines were refused, but the last 49 of one came after close", seed, refused.Load())
	}
}

// What fits into no page is refused at once, and costs the others no room.
func TestLongLineTakesNoRoom(t *testing.T) {
	q := newQueue(lineFrames{}, 2*pageBytes, 1<<10)
	for q.put(make([]byte, MaxLine)) {
	}
	if _, lines := takeAll(q); lines != 6 {
		t.Errorf("%d of the longest lines were taken", lines)
	}
	for i := range 100 {
		if q.put(make([]byte, MaxLine+1)) || !q.put([]byte("x")) {
			t.Fatalf("line %d", i)
		}
	}
	if text, lines := takeAll(q); lines != 100 || len(text) != 200 {
		t.Errorf("%d lines were taken", lines)
	}
}

// A queue takes all that its bounds promise, but for the ends of pages.
func TestQueueHoldsWhatItPromises(t *testing.T) {
	for size, want := range map[int]int{0: DefaultQueueLines, 100: DefaultQueueLines, 1000: DefaultQueueBytes / 1001} {
		q, n := newQueue(lineFrames{}, DefaultQueueBytes, DefaultQueueLines), 0
		for q.put(make([]byte, size)) {
			n++
		}
		if n > want || n < want-q.pages {
			t.Errorf("%d lines of %d bytes, want %d", n, size, want)
		}
		if _, lines := takeAll(q); lines != n {
			t.Errorf("%d of %d lines came out", lines, n)
		}
	}
}

// A single line at a quiet hour is in its file soon.
func TestLineLeavesSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newCollected()
		s := openOn(t, Config{Stdout: out})
		for i := range 20 {
			s.Put([]byte("x"))
			time.Sleep(lingerLocal + time.Millisecond)
			if n := s.Delivered(); n != uint64(i+1) {
				t.Fatalf("%d of %d lines were written after %v", n, i+1, lingerLocal)
			}
			time.Sleep(time.Hour)
		}
		if err := closeIn(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
	})
}

// Half of a queue is reason enough to begin writing.
func TestFullQueueDoesNotLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newCollected()
		s := openOn(t, Config{Stdout: out})
		began := time.Now()
		for range DefaultQueueLines/2 + 1 {
			s.Put([]byte("x"))
		}
		synctest.Wait()
		// The writer may have taken the first half before the last line was there.
		if n := s.Delivered(); n < DefaultQueueLines/2 || time.Since(began) != 0 {
			t.Errorf("%d lines were written after %v", n, time.Since(began))
		}
		if err := closeIn(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTimesAreThoseOfTheLayout(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 999), time.Unix(1<<31, 1000), time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.FixedZone("", 3600)),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		if got, want := string(appendTime(nil, at)), at.UTC().Format(syslogTime); got != want || len(got) != len(syslogTime) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
