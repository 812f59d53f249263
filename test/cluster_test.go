//go:build e2e

package test

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// What happens to a cluster must never show: a member that is cut off, one that
// is killed while purges pour in, and a restart of all, one after the other.
func TestClusterKeepsPromisesWithDisk(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) { keepsPromises(t, l, true) })
}

func TestClusterKeepsPromisesWithoutDisk(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) { keepsPromises(t, l, false) })
}

func keepsPromises(t *testing.T, l *lab, disk bool) {
	keepsPromisesOf(t, l, disk, "    purge: {limits: off}\n")
}

func keepsPromisesOf(t *testing.T, l *lab, disk bool, service string) {
	origin := startVersions(t)
	members := l.startCluster(4, clusterSettings{
		origin: origin.url, disk: disk, secret: clusterSecret, after: "2s",
		service: service,
	})
	w := watch(t, origin, members)
	w.forAWhile(2 * time.Second)
	w.converged("in peace")

	// A cut of several times isolation.after, with purges on both sides.
	lost := w.members[3]
	lost.cut()
	w.forAWhile(500 * time.Millisecond)
	eventually(t, lost.name+" finds that it is isolated", func() bool {
		code, _ := lost.readiness()
		return code == http.StatusServiceUnavailable
	})
	lost.isolated.Store(true)
	w.forAWhile(5 * time.Second)
	if lost.unconfirmed() == 0 {
		t.Error("the cut was none: every purge arrived")
	}
	lost.isolated.Store(false)
	lost.heal()
	lost.awaitReady()
	w.converged("after the cut")
	w.forAWhile(time.Second)

	// kill -9 while purges pour in.
	w.restart(w.members[1], disk, func(m *watched) { m.kill() })
	w.forAWhile(2 * time.Second)
	w.converged("after kill -9")

	for _, m := range w.members {
		w.restart(m, disk, func(m *watched) {
			m.signal(syscall.SIGTERM)
			within(t, "the end of "+m.name, m.exited)
		})
		w.forAWhile(500 * time.Millisecond)
	}
	w.converged("after a restart of all")
	w.forAWhile(time.Second)
	eventually(t, "there was enough of all to show something", func() bool { // a busy machine is given more time
		for _, m := range w.members {
			if m.hits.Load() < 100 || m.misses.Load() < 100 {
				return false
			}
		}
		return w.purged.Load() >= 500
	})
	w.end()
	w.check()
	w.agrees()
	for _, m := range w.members {
		t.Logf("%s: %d hits, %d misses, %d without an answer", m.name, m.hits.Load(), m.misses.Load(), m.down.Load())
	}
	t.Logf("%d purges accepted, %d refused or lost", w.purged.Load(), w.failed.Load())
}

// restart ends a member, lets the others go on for a moment, and starts it again.
func (w *watcher) restart(m *watched, disk bool, end func(*watched)) {
	w.t.Helper()
	w.left(m, disk)
	end(m)
	w.forAWhile(500 * time.Millisecond)
	w.returning(m)
	m.launch()
	m.awaitReady()
	m.returned()
}

// agrees fails the test where a member, with all confirmed, shows an old page.
func (w *watcher) agrees() {
	w.t.Helper()
	for page := range pageCount {
		want := int64(0)
		for _, m := range w.members {
			want = max(want, m.floor[page].Load())
		}
		for _, m := range w.members {
			raise(&m.floor[page], want)
		}
	}
	for _, m := range w.members {
		for range 2 * pageCount {
			w.visit(w.t.Context(), m, http.DefaultClient)
		}
	}
	w.check()
}
