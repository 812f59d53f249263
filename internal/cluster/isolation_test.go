package cluster_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
)

// journalOfLogs remembers the messages that were logged at ERROR.
type journalOfLogs struct {
	slog.Handler
	mu     *sync.Mutex
	errors *[]string
}

func newLogs() (journalOfLogs, func(containing string) int) {
	h := journalOfLogs{slog.DiscardHandler, new(sync.Mutex), new([]string)}
	return h, func(text string) (n int) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, m := range *h.errors {
			if strings.Contains(m, text) {
				n++
			}
		}
		return n
	}
}

func (journalOfLogs) Enabled(context.Context, slog.Level) bool { return true }

func (h journalOfLogs) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h journalOfLogs) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		h.mu.Lock()
		defer h.mu.Unlock()
		*h.errors = append(*h.errors, r.Message)
	}
	return nil
}

// A healthy node joins: neither it nor those who are there are isolated at any
// moment, and nobody says so.
func TestJoiningIsolatesNobody(t *testing.T) {
	for _, size := range []int{2, 3, 6} {
		run(t, func(t *testing.T) {
			r := newRig(t, anySeed(), perfect(20*time.Millisecond))
			handler, said := newLogs()
			r.log = slog.New(handler)
			defer r.stop()
			nodes := r.many(size, 1)
			first := nodes[0]
			first.start()
			r.until(time.Minute, "the first is ready", func() bool { return first.cluster.Ready() })
			r.start(nodes[1:]...)
			r.until(time.Minute, "all know each other", func() bool {
				if first.cluster.Isolated() {
					t.Fatalf("of %d, the first is isolated because others join: %+v", size, first.cluster.Health())
				}
				for _, n := range nodes {
					if !n.cluster.Ready() || len(n.cluster.Members()) < size {
						return false
					}
				}
				return true
			})
			time.Sleep(5 * time.Second)
			if n := said("isolated"); n > 0 {
				t.Errorf("of %d, somebody called itself isolated %d times", size, n)
			}
		})
	}
}

func TestIsolationIsReportedWhoeverAsks(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		handler, said := newLogs()
		nodes := r.many(3, 1)
		nodes[2].cfg = func(c *cluster.Config) { c.Log = slog.New(handler) }
		r.start(nodes...)
		r.ready(nodes...)
		r.net.Partition(addrs(nodes[:2]), addrs(nodes[2:]), true)
		// Somebody looks all the time, as a health check does.
		r.until(time.Minute, "isolated", func() bool { return nodes[2].cluster.Health().Isolated })
		time.Sleep(10 * time.Second)
		if said("isolated") != 1 {
			t.Errorf("it was said %d times that the node is isolated, want once", said("isolated"))
		}
	})
}

// Who never finds a majority says so too, if later than a node takes to join.
func TestANodeThatFindsNoMajoritySaysSo(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(2, 1)
		r.start(nodes...)
		r.ready(nodes...)
		nodes[0].crash()
		nodes[1].stop()
		handler, said := newLogs()
		nodes[1].cfg = func(c *cluster.Config) { c.Log = slog.New(handler) }
		nodes[1].start()
		time.Sleep(40 * time.Second)
		if said("isolated") != 1 {
			t.Errorf("said %d times, want once", said("isolated"))
		}
	})
}
