package cluster_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
)

// countingLogs counts lines above debug.
type countingLogs struct {
	journalOfLogs
	lines *int
}

func (h countingLogs) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h countingLogs) Handle(_ context.Context, r slog.Record) error {
	if r.Level > slog.LevelDebug {
		h.mu.Lock()
		defer h.mu.Unlock()
		*h.lines++
	}
	return nil
}

// A host that has no secret and keeps streams open, and sends packets, hurts
// nobody: others join meanwhile, and the log stays readable.
func TestAStrangerHurtsNobody(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(time.Millisecond))
		handler, _ := newLogs()
		lines := new(int)
		defer r.stop()
		nodes := r.many(3, 1)
		nodes[0].cfg = func(c *cluster.Config) { c.Log = slog.New(countingLogs{handler, lines}) }
		r.start(nodes[:2]...)
		r.ready(nodes[:2]...)
		evil := r.net.Host(netip.MustParseAddr("10.9.9.9"))
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			hold(t, evil, nodes[0].host.Addr(), stop)
		}()
		conn, err := evil.ListenPacket(netip.MustParseAddrPort("10.9.9.9:1"))
		if err != nil {
			t.Fatal(err)
		}
		handler.mu.Lock()
		*lines = 0
		handler.mu.Unlock()
		for i := range 5000 {
			if _, err := conn.WriteTo(fmt.Appendf(nil, "\x0cjunk number %d, and more of it", i), netip.AddrPortFrom(nodes[0].host.Addr(), port)); err != nil {
				t.Fatal(err)
			}
			if i%50 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		nodes[2].start()
		r.until(20*time.Second, "another one joins meanwhile", func() bool {
			return nodes[2].cluster.Ready() && len(nodes[0].cluster.Members()) == 3
		})
		close(stop)
		<-done
		handler.mu.Lock()
		defer handler.mu.Unlock()
		if *lines > 100 {
			t.Errorf("%d lines in the log for the packets of a stranger", *lines)
		}
		if s := nodes[0].cluster.Stats(); s.Streams["limit"] == 0 || s.Streams["membership"] < 1000 {
			t.Errorf("not counted: %v", s.Streams)
		}
	})
}

// hold opens as many streams as it gets, on both ports, for as long as it may.
func hold(t *testing.T, evil *simnet.Host, to netip.Addr, stop chan struct{}) {
	for {
		for _, p := range []uint16{port, port + 1} {
			for range 200 {
				if conn, err := evil.Dial(t.Context(), netip.AddrPortFrom(to, p)); err == nil {
					go io.Copy(io.Discard, conn)
				}
			}
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Second):
		}
	}
}
