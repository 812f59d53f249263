package catch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/shield"
)

// world is a shield's journal and the edge that knows more.
type world struct {
	mu      sync.Mutex
	known   map[uint64]bool
	gone    bool          // the edge is not seen alive
	takes   time.Duration // a question to the edge
	fails   error
	fetches int
	wholes  int
}

var inc = journal.Incarnation{1}

func entry(seq uint64) []journal.Range {
	return []journal.Range{{Incarnation: inc, Spans: journal.Spans{{First: seq, Last: seq}}}}
}

func (w *world) Lacking(entries []journal.Range) (out []journal.Range) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, part := range entries {
		for _, s := range part.Spans {
			for seq := s.First; seq <= s.Last; seq++ {
				if !w.known[seq] {
					out = append(out, entry(seq)...)
				}
			}
		}
	}
	return out
}

var edgeSession, ownSession = shield.Session{5}, shield.Session{6}

func (w *world) SessionOf(string) (shield.Session, bool) { return edgeSession, !w.gone }

func (w *world) Fetch(ctx context.Context, _ string, entries []journal.Range) error {
	w.mu.Lock()
	w.fetches++
	w.mu.Unlock()
	time.Sleep(w.takes)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, part := range entries {
		if w.fails == nil {
			w.known[part.Spans[0].First] = true
		}
	}
	return w.fails
}

func (w *world) CatchUp(ctx context.Context, _ string) error {
	w.mu.Lock()
	w.wholes++
	w.mu.Unlock()
	time.Sleep(w.takes)
	return w.fails
}

func inWorld(t *testing.T, w *world, do func(c *Catcher)) {
	synctest.Test(t, func(*testing.T) {
		w.known = map[uint64]bool{}
		c := New(ownSession, w, w, slog.New(slog.DiscardHandler))
		do(c)
		c.Close()
	})
}

func based(seq uint64) *shield.Ask {
	return &shield.Ask{From: "e", Session: edgeSession, Shield: ownSession, Since: 10, At: 20, Entries: entry(seq)}
}

func TestCovers(t *testing.T) {
	w := &world{takes: 10 * time.Millisecond}
	inWorld(t, w, func(c *Catcher) {
		nothing := &shield.Ask{From: "e", Session: edgeSession, Shield: ownSession, Since: 10, At: 10}
		if c.Covers(context.Background(), nothing) != Covered || w.fetches+w.wholes > 0 {
			t.Error("nothing was purged, and somebody was asked")
		}
		if got := c.Covers(context.Background(), based(1)); got != CaughtUp || w.fetches != 1 || w.wholes != 0 {
			t.Errorf("one entry lacks: %v, %d and %d questions", got, w.fetches, w.wholes)
		}
		if c.Covers(context.Background(), based(1)) != Covered {
			t.Error("it is known now")
		}
		first := &shield.Ask{From: "e", Session: edgeSession, Since: 5, At: 30}
		if got := c.Covers(context.Background(), first); got != CaughtUp || w.wholes != 1 {
			t.Errorf("an edge that was never confirmed: %v, %d comparisons", got, w.wholes)
		}
		later := &shield.Ask{From: "e", Session: edgeSession, Since: 30, At: 30}
		if c.Covers(context.Background(), later) != Covered {
			t.Error("a comparison covers all up to its position")
		}
		other := *later
		other.Session = shield.Session{7}
		if c.Covers(context.Background(), &other) != NotCovered {
			t.Error("another start of the edge is covered by what the first knew")
		}
		fresh := *nothing
		fresh.Fresh = true
		if c.Covers(context.Background(), &fresh) != NotCovered {
			t.Error("what no entry stands for cannot be covered")
		}
	})
}

// TestNobodyWaitsLong holds the bound, and that catching up goes on behind it.
func TestNobodyWaitsLong(t *testing.T) {
	w := &world{takes: 300 * time.Millisecond}
	inWorld(t, w, func(c *Catcher) {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				began := time.Now()
				if got := c.Covers(context.Background(), based(1)); got != NotCovered || time.Since(began) != Patience {
					t.Errorf("%v after %v", got, time.Since(began))
				}
			})
		}
		all.Wait()
		if w.fetches != 1 {
			t.Errorf("%d questions for what all of them lack", w.fetches)
		}
		time.Sleep(time.Second)
		if c.Covers(context.Background(), based(1)) != Covered {
			t.Error("it did not go on")
		}
	})
}

// TestAnEdgeThatCannotBeAskedRests makes its requests not wait each in vain.
func TestAnEdgeThatCannotBeAskedRests(t *testing.T) {
	w := &world{takes: time.Millisecond, fails: errors.New("no")}
	inWorld(t, w, func(c *Catcher) {
		c.Covers(context.Background(), based(1))
		began := time.Now()
		if c.Covers(context.Background(), based(1)) != NotCovered || time.Since(began) > 0 || w.fetches != 1 {
			t.Errorf("asked %d times, waited %v", w.fetches, time.Since(began))
		}
		w.fails = nil
		time.Sleep(rest)
		if c.Covers(context.Background(), based(1)) != CaughtUp {
			t.Error("it is not tried again")
		}
		w.gone = true
		if c.Covers(context.Background(), based(2)) != NotCovered {
			t.Error("an edge that is not alive was caught up with")
		}
	})
}

func BenchmarkCovers(b *testing.B) {
	w := &world{known: map[uint64]bool{1: true}}
	c := New(ownSession, w, w, slog.New(slog.DiscardHandler))
	defer c.Close()
	a := &shield.Ask{From: "e", Session: edgeSession, Shield: ownSession, Since: 10, At: 10}
	b.ReportAllocs()
	for b.Loop() {
		if c.Covers(context.Background(), a) != Covered {
			b.Fatal("not covered")
		}
	}
}
