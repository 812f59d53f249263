package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLinesArriveInOrder(t *testing.T) {
	out := newCollected()
	s := openOn(t, Config{Stdout: out})
	var want []string
	for i := range 1000 {
		want = append(want, fmt.Sprint("line ", i))
		s.Put([]byte(want[i]))
	}
	if err := closeIn(t, s, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := out.lines(); !slices.Equal(got, want) {
		t.Errorf("%d lines arrived, or in another order", len(got))
	}
	if s.Delivered() != 1000 || s.Dropped() != 0 {
		t.Errorf("delivered %d, dropped %d", s.Delivered(), s.Dropped())
	}
}

func TestLinesLeaveInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writes writeCounter
		s := openOn(t, Config{Stdout: &writes})
		for range 100 {
			s.Put([]byte("x"))
		}
		time.Sleep(lingerLocal)
		synctest.Wait()
		if writes != 1 {
			t.Errorf("100 lines took %d writes", writes)
		}
		if err := closeIn(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
	})
}

type writeCounter int

func (c *writeCounter) Write(p []byte) (int, error) {
	*c++
	return len(p), nil
}

func TestAfterCloseLinesAreDroppedAndCounted(t *testing.T) {
	out := newCollected()
	s := openOn(t, Config{Stdout: out})
	for range 2 { // closing again is no error
		if err := closeIn(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	s.Put([]byte("late"))
	s.Reopen()
	if s.Dropped() != 1 || out.String() != "" {
		t.Errorf("dropped %d, wrote %q", s.Dropped(), out)
	}
}

// A sink that takes nothing is said to do so, but no more than once a second.
func TestStalledSinkWarnsOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, said := journal()
		w := newStalled(newCollected())
		s := openOn(t, Config{Stdout: w, QueueLines: 10, Log: log})
		for range 55 { // over 5.5 seconds
			for range 10 {
				s.Put([]byte("x"))
			}
			time.Sleep(100 * time.Millisecond)
		}
		close(w.release)
		if err := closeIn(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
		list, sum := records(t, said), 0
		for i, r := range list {
			sum += r.Lines
			if r.Msg != "log lines dropped" || r.Level != "WARN" || r.Sink != "stdout" {
				t.Errorf("unexpected record %+v", r)
			}
			if i > 0 && i < len(list)-1 && r.Time.Sub(list[i-1].Time) < time.Second {
				t.Errorf("records %v and %v are less than a second apart", list[i-1].Time, r.Time)
			}
		}
		if len(list) < 4 || len(list) > 7 {
			t.Errorf("%d records in 5.5 seconds", len(list))
		}
		if sum == 0 || uint64(sum) != s.Dropped() {
			t.Errorf("reported %d lines, dropped %d", sum, s.Dropped())
		}
	})
}

func TestCloseGivesUpAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newStalled(newCollected())
		s := openOn(t, Config{Stdout: w})
		s.Put([]byte("x"))
		began := time.Now()
		err := closeIn(t, s, 3*time.Second)
		if !errors.Is(err, ErrStalled) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 3*time.Second+releaseTime {
			t.Errorf("took %v", took)
		}
		close(w.release)
		<-s.done
	})
}

// However long a sink takes nothing, those who write lines go on, other sinks
// get every line, and no more than its bounds is kept. Each round waits for the
// healthy sink, so that its count is exact; if a caller ever waited for the
// stalled one, the test would not end.
func TestStalledSinkHarmsNobody(t *testing.T) {
	const (
		writers, rounds, burst = 8, 30, 50
		total                  = writers * rounds * burst
		bytesBound, linesBound = 16 << 10, 500
	)
	healthy, late := newCollected(), newCollected()
	stuck := newStalled(late)
	bad := openOn(t, Config{Stdout: stuck, QueueBytes: bytesBound, QueueLines: linesBound})
	good := openOn(t, Config{Stdout: healthy})
	group := Group{bad, good}
	for round := range rounds {
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range burst {
					group.Put(fmt.Appendf(nil, "writer %d line %d", w, round*burst+i))
				}
			})
		}
		writing.Wait()
		healthy.await((round + 1) * writers * burst)
		if n := waitingBytes(bad.queue); n > bytesBound {
			t.Errorf("%d bytes wait", n)
		}
	}
	if bad.Dropped() < total-2*linesBound || bad.Delivered() != 0 {
		t.Errorf("the stalled sink dropped %d and delivered %d of %d", bad.Dropped(), bad.Delivered(), total)
	}
	close(stuck.release)
	if err := closeIn(t, group, time.Minute); err != nil {
		t.Fatal(err)
	}
	if good.Dropped() != 0 || good.Delivered() != total {
		t.Errorf("the healthy sink dropped %d and delivered %d of %d", good.Dropped(), good.Delivered(), total)
	}
	if sum := bad.Dropped() + bad.Delivered(); sum != total || group.Dropped() != bad.Dropped() {
		t.Errorf("%d lines of %d are accounted for", sum, total)
	}
	if n := len(late.lines()); uint64(n) != bad.Delivered() {
		t.Errorf("%d lines arrived late, %d were said to", n, bad.Delivered())
	}
	inOrder(t, healthy.lines())
	inOrder(t, late.lines())
}

func waitingBytes(q *queue) (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range append(q.mu.full, q.open.Load()) {
		n += bytesOf(p.state.Load())
	}
	return n
}

// inOrder fails unless each writer's lines come in the order of their writing.
func inOrder(t *testing.T, lines []string) {
	t.Helper()
	last := map[int]int{}
	for _, line := range lines {
		var w, n int
		if _, err := fmt.Sscanf(line, "writer %d line %d", &w, &n); err != nil {
			t.Fatalf("damaged line %q", line)
		}
		if before, ok := last[w]; ok && n <= before {
			t.Fatalf("%q came after line %d", line, before)
		}
		last[w] = n
	}
}

func TestOpenChecksItsConfig(t *testing.T) {
	for want, cfg := range map[string]Config{
		"sink: no target":                  {},
		"cannot be negative":               {To: Target{kind: kindStdout}, QueueLines: -1},
		"sink file:/nowhere/x: open /nowh": {To: Target{kind: kindFile, path: "/nowhere/x"}},
	} {
		if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// halting writes some bytes and then fails, as a disk that fills up does.
type halting struct {
	bytes.Buffer
	room int
}

var errFull = errors.New("no space left")

func (h *halting) Write(p []byte) (int, error) {
	n := min(len(p), h.room)
	h.room -= n
	h.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestFullDiskDamagesOneLine(t *testing.T) {
	w := &halting{room: 7}
	l := &local{w: w}
	first := batch{data: []byte("one\ntwo!\nthree\n"), ends: []int{4, 9, 15}}
	if n, err := l.write(t.Context(), &first); n != 1 || !errors.Is(err, errFull) {
		t.Errorf("delivered %d, %v", n, err)
	}
	second := batch{data: []byte("four\n"), ends: []int{5}}
	if n, err := l.write(t.Context(), &second); n != 0 || !errors.Is(err, errFull) {
		t.Errorf("delivered %d, %v", n, err)
	}
	w.room = 100
	if n, err := l.write(t.Context(), &second); n != 1 || err != nil {
		t.Errorf("delivered %d, %v", n, err)
	}
	if got, want := w.String(), "one\ntwo\nfour\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFailuresAreCountedAndReported(t *testing.T) {
	log, said := journal()
	s := openOn(t, Config{Stdout: &halting{}, Log: log})
	s.Put([]byte("x"))
	err := closeIn(t, s, time.Minute)
	if err == nil || err.Error() != "sink stdout: lines not delivered: 1" {
		t.Errorf("got %v", err)
	}
	list := records(t, said)
	if len(list) == 0 || list[len(list)-1].Total != 1 || !strings.Contains(said.String(), errFull.Error()) {
		t.Errorf("reported %s", said)
	}
}

func TestBackoffDoublesWithinItsBounds(t *testing.T) {
	b := backoff{least: time.Second, most: 5 * time.Second}
	for _, most := range []time.Duration{1, 2, 4, 5, 5} {
		if d := b.delay(); d < most*time.Second/2 || d > most*time.Second {
			t.Errorf("waits %v, at most %ds were due", d, most)
		}
	}
	b.reset()
	if d := b.delay(); d > time.Second {
		t.Errorf("waits %v after a reset", d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
