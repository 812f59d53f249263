package cluster_test

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// Two nodes of one name in two halves that meet: the one that was started later
// refuses to serve for as long as the other lives, whatever else it succeeds in,
// and serves once the other has gone.
func TestTwoOfOneNameMeet(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(10*time.Millisecond))
		defer r.stop()
		a, elder := r.add("a", "p"), r.add("x", "p")
		b, younger := r.add("b", "p"), r.add("x", "p")
		join := func(at ...*node) func(*cluster.Config) {
			return func(c *cluster.Config) {
				c.Join = nil
				for _, n := range at {
					c.Join = append(c.Join, n.host.Addr().String())
				}
			}
		}
		a.cfg, elder.cfg, b.cfg, younger.cfg = join(), join(a, b), join(), join(b, a)
		r.net.Partition(addrs([]*node{a, elder}), addrs([]*node{b, younger}), true)
		r.start(a, elder)
		time.Sleep(10 * time.Second)
		r.start(b, younger)
		r.until(time.Minute, "each half is ready", func() bool {
			return elder.cluster.Health().Refused == nil && younger.cluster.Health().Refused == nil &&
				len(a.cluster.Members()) == 2 && len(b.cluster.Members()) == 2
		})
		r.net.Partition(addrs([]*node{a, elder}), addrs([]*node{b, younger}), false)
		refused := func() bool { return younger.cluster.Health().Refused != nil }
		r.until(2*time.Minute, "the younger refuses", refused)
		for range 900 {
			time.Sleep(100 * time.Millisecond)
			if !refused() || younger.cluster.Ready() {
				t.Fatal("it serves again, beside the other")
			}
			if elder.cluster.Health().Refused != nil {
				t.Fatal("the elder refuses too")
			}
		}
		elder.stop()
		r.until(5*time.Minute, "the name is free", func() bool { return !refused() })
	})
}

// A node without disks that restarts is the same member: the replicated state
// does not grow.
func TestRestartsWithoutDisksLeaveNothing(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(2, 1)
		nodes[1].cfg = func(c *cluster.Config) { c.Identity = [16]byte{} }
		r.start(nodes...)
		r.ready(nodes...)
		m, _ := nodes[0].journal.State()
		before := m.Len()
		for range 5 {
			nodes[1].stop()
			nodes[1].disk = vfs.NewMemory()
			nodes[1].start()
			r.ready(nodes...)
		}
		if m, _ = nodes[0].journal.State(); m.Len() != before {
			t.Errorf("%d items after five restarts, %d before", m.Len(), before)
		}
	})
}
