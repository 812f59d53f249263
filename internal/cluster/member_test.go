package cluster_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

func addrs(nodes []*node) []netip.Addr {
	var out []netip.Addr
	for _, n := range nodes {
		out = append(out, n.host.Addr())
	}
	return out
}

func TestPartitionAndHeal(t *testing.T) {
	run(t, func(t *testing.T) {
		seed := anySeed()
		r := newRig(t, seed, func(_, _ netip.Addr) simnet.Link {
			return simnet.Link{Delay: 15 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.01}
		})
		defer r.stop()
		nodes := r.many(7, 3)
		for _, n := range nodes {
			n.cfg = func(c *cluster.Config) { c.Isolation.After = 5 * time.Second }
		}
		r.start(nodes...)
		r.ready(nodes...)
		few, most := nodes[:3], nodes[3:]
		r.net.Partition(addrs(few), addrs(most), true)
		time.Sleep(2 * time.Minute)
		for _, n := range few {
			if !n.cluster.Isolated() {
				t.Errorf("%s sees a minority and is not isolated: %+v", n.name, n.cluster.Health())
			}
		}
		for _, n := range most {
			if n.cluster.Isolated() {
				t.Errorf("%s sees a majority and is isolated: %+v", n.name, n.cluster.Health())
			}
		}
		ids := append(few[0].issue(30, 50), most[0].issue(30, 50)...)
		time.Sleep(time.Minute)
		if all(few[:1], ids) || all(most[:1], ids) {
			t.Fatal("entries crossed the partition")
		}
		missing := wait(t, most[0], ids[40], cluster.WaitAll, time.Second)
		if len(missing) != 3 {
			t.Errorf("missing behind the partition: %v", missing)
		}
		r.net.Partition(addrs(few), addrs(most), false)
		took := r.until(time.Minute, "everybody has everything", func() bool { return all(nodes, ids) })
		t.Logf("healed after %v", took)
		r.until(time.Minute, "nobody is isolated", func() bool {
			for _, n := range nodes {
				if n.cluster.Isolated() {
					return false
				}
			}
			return true
		})
		if missing := wait(t, most[0], ids[40], cluster.WaitAll, 20*time.Second); len(missing) > 0 {
			t.Errorf("not acknowledged after the heal: %v", missing)
		}
		if p := most[0].cluster.Progress(ids[40]); p.Count != 6 || p.Slowest < time.Minute {
			t.Errorf("progress %+v", p)
		}
	})
}

func TestHeartbeatsCrossAOneWayPartition(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(5, 2)
		for _, n := range nodes {
			n.cfg = func(c *cluster.Config) { c.Isolation.After = 10 * time.Second }
		}
		r.start(nodes...)
		r.ready(nodes...)
		// The first can talk to the second only.
		r.net.Partition(addrs(nodes[:1]), addrs(nodes[2:]), true)
		ids := nodes[4].issue(5, 50)
		time.Sleep(2 * time.Minute)
		if nodes[0].cluster.Isolated() {
			t.Errorf("isolated, though one neighbour hears everybody: %+v", nodes[0].cluster.Health())
		}
		if !all(nodes, ids) {
			t.Error("entries did not go round the partition")
		}
	})
}

func TestCrashAndRestart(t *testing.T) {
	for _, keep := range []bool{true, false} {
		name := map[bool]string{true: "with its disk", false: "with a new disk"}[keep]
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T) {
				r := newRig(t, 1, perfect(10*time.Millisecond))
				defer r.stop()
				nodes := r.many(4, 2)
				r.start(nodes...)
				r.ready(nodes...)
				before := nodes[3].issue(5, 50)
				r.until(time.Second, "applied everywhere", func() bool { return all(nodes, before) })
				nodes[3].crash()
				during := nodes[0].issue(5, 50)
				missing := wait(t, nodes[0], during[4], cluster.WaitAll, 5*time.Second)
				if len(missing) != 1 || missing[0] != "n03" {
					t.Errorf("missing %v, want the crashed one", missing)
				}
				if !keep {
					nodes[3].disk = vfs.NewMemory()
				}
				nodes[3].start()
				r.until(time.Minute, "the restarted one is ready", nodes[3].cluster.Ready)
				if !all(nodes[3:], during) {
					t.Error("ready before everything that others knew was applied")
				}
				if !keep && !all(nodes[3:], before) {
					t.Error("what it had issued did not come back")
				}
				if missing := wait(t, nodes[0], during[4], cluster.WaitAll, 30*time.Second); len(missing) > 0 {
					t.Errorf("not acknowledged after the restart: %v", missing)
				}
				after := nodes[3].issue(5, 50)
				r.until(5*time.Second, "applied everywhere", func() bool { return all(nodes, after) })
				if n := len(nodes[0].cluster.Members()); n != 4 {
					t.Errorf("%d members, want 4", n)
				}
			})
		})
	}
}

func TestADuplicateNameIsRefused(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		r.start(nodes...)
		r.ready(nodes...)
		thief := r.add("n02", "elsewhere")
		thief.start()
		time.Sleep(time.Minute)
		h := thief.cluster.Health()
		if thief.cluster.Ready() || h.Readiness != cluster.Refused || !errors.Is(h.Refused, cluster.ErrDuplicateName) {
			t.Errorf("the newcomer: %+v", h)
		}
		for _, n := range nodes {
			if !n.cluster.Ready() {
				t.Errorf("%s does not serve any more: %+v", n.name, n.cluster.Health())
			}
		}
		// Once the first is gone, the name is free.
		nodes[2].crash()
		r.until(5*time.Minute, "the newcomer is taken", thief.cluster.Ready)
		if n := len(nodes[0].cluster.Members()); n != 3 {
			t.Errorf("%d members, want 3: %+v", n, nodes[0].cluster.Members())
		}
	})
}

func TestAClonedDiskIssuesUnderAnotherName(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(2, 1)
		r.start(nodes...)
		r.ready(nodes...)
		ids := nodes[1].issue(3, 50)
		clone := r.add("clone", "pop00")
		clone.disk = nodes[1].disk.Clone()
		clone.start()
		r.until(time.Minute, "the clone is ready", clone.cluster.Ready)
		ids = append(ids, clone.issue(3, 50)...)
		ids = append(ids, nodes[1].issue(3, 50)...)
		everyone := []*node{nodes[0], nodes[1], clone}
		r.until(time.Minute, "everybody has everything", func() bool { return all(everyone, ids) })
	})
}

func TestLeaveAndForget(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(4, 2)
		r.start(nodes...)
		r.ready(nodes...)
		ctx := context.Background()
		if err := nodes[3].cluster.Leave(ctx); err != nil {
			t.Fatal(err)
		}
		if nodes[3].cluster.Ready() {
			t.Error("it serves on after leaving")
		}
		nodes[3].stop()
		r.until(10*time.Second, "nobody counts it", func() bool {
			return len(nodes[0].cluster.Members()) == 3 && len(nodes[1].cluster.Members()) == 3 && len(nodes[2].cluster.Members()) == 3
		})
		if err := nodes[0].cluster.Forget(ctx, "n02"); !errors.Is(err, cluster.ErrAlive) {
			t.Errorf("forget a live member: %v", err)
		}
		nodes[2].crash()
		id := nodes[0].issue(1, 50)[0]
		done := make(chan []string, 1)
		go func() { done <- wait(t, nodes[0], id, cluster.WaitAll, time.Hour) }()
		r.until(time.Minute, "found dead", func() bool { return nodes[0].cluster.Members()[2].State == cluster.MemberAbsent })
		if err := nodes[0].cluster.Forget(ctx, "n02"); err != nil {
			t.Fatal(err)
		}
		if missing := <-done; len(missing) > 0 {
			t.Errorf("still waited for who was forgotten: %v", missing)
		}
		if err := nodes[0].cluster.Forget(ctx, "n02"); !errors.Is(err, cluster.ErrUnknownMember) {
			t.Errorf("forget an unknown member: %v", err)
		}
		// Both may come back.
		nodes[2].start()
		nodes[3].start()
		r.ready(nodes...)
	})
}

func TestJoinByNameAndForEver(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		for _, n := range nodes {
			n.cfg = func(c *cluster.Config) { c.Join = []string{"edge.example:7946"} }
		}
		r.start(nodes...)
		time.Sleep(20 * time.Minute)
		if nodes[0].cluster.Ready() {
			t.Error("ready, though it was told to join others and met none")
		}
		r.net.Name("edge.example", addrs(nodes)...)
		r.ready(nodes...)
	})
}

func TestTheFirstNodeNeedsNobody(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(0))
		defer r.stop()
		n := r.add("only", "pop")
		n.start()
		r.until(5*time.Second, "ready", n.cluster.Ready)
		if n.cluster.Isolated() {
			t.Error("isolated from nobody")
		}
		id := n.issue(1, 10)[0]
		if missing := wait(t, n, id, cluster.WaitAll, time.Second); len(missing) > 0 {
			t.Errorf("waited for %v", missing)
		}
	})
}

func TestRotateKeys(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		r.start(nodes...)
		r.ready(nodes...)
		next := []byte("fedcba9876543210fedcba9876543210")
		for _, secrets := range [][][]byte{{secret, next}, {next, secret}, {next}} {
			for i, n := range nodes {
				if err := n.cluster.RotateKeys(secrets); err != nil {
					t.Fatal(err)
				}
				ids := nodes[(i+1)%3].issue(2, 50)
				r.until(time.Second, "applied in the middle of the change", func() bool { return all(nodes, ids) })
			}
			time.Sleep(5 * time.Second)
		}
		stranger := r.add("stranger", "pop00") // still has the old secret
		stranger.start()
		time.Sleep(time.Minute)
		if stranger.cluster.Ready() || len(nodes[0].cluster.Members()) != 3 {
			t.Error("a node with another secret was let in")
		}
		if nodes[0].cluster.Stats().Streams["membership"] == 0 {
			t.Errorf("the other secret is not to be seen: %+v", nodes[0].cluster.Stats().Streams)
		}
		for _, n := range nodes {
			if !n.cluster.Ready() || n.cluster.Isolated() {
				t.Errorf("%s: %+v", n.name, n.cluster.Health())
			}
		}
	})
}

func TestEntriesThatNobodyHasAnyMoreAreAGap(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		for _, n := range nodes {
			n.keep = 2 * time.Minute
		}
		r.start(nodes...)
		r.ready(nodes...)
		nodes[2].crash()
		ids := nodes[0].issue(10, 50)
		time.Sleep(5 * time.Minute)
		for _, n := range nodes[:2] {
			if err := n.journal.Maintain(); err != nil {
				t.Fatal(err)
			}
		}
		fresh := nodes[0].issue(1, 50)
		nodes[2].start()
		r.until(time.Minute, "ready", nodes[2].cluster.Ready)
		if all(nodes[2:], ids) {
			t.Fatal("the entries were still there; the test proves nothing")
		}
		if nodes[2].gaps == 0 {
			t.Error("ready without having been told to drop what was stored")
		}
		if !all(nodes[2:], fresh) {
			t.Error("what could be supplied was not fetched before it was ready")
		}
	})
}

func TestQueriesReachAPOP(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(5, 2)
		for _, n := range nodes {
			n.cfg = func(c *cluster.Config) {
				c.Handle = func(_ context.Context, q cluster.Question) ([]byte, error) {
					if q.Topic == "fail" {
						return nil, errors.New("no such thing")
					}
					return []byte(n.name + " to " + q.From + ": " + string(q.Body)), nil
				}
			}
		}
		r.start(nodes...)
		r.ready(nodes...)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		answers := nodes[0].cluster.Query(ctx, cluster.To{POP: "pop01"}, "status", []byte("hi"))
		if len(answers) != 2 || string(answers[0].Body) != "n01 to n00: hi" || string(answers[1].Body) != "n03 to n00: hi" {
			t.Errorf("%+v", answers)
		}
		began := time.Now()
		answers = nodes[0].cluster.Query(ctx, cluster.To{Member: "n01"}, "status", nil)
		if took := time.Since(began); took > 45*time.Millisecond || answers[0].Err != nil {
			t.Errorf("a second query took %v: %+v", took, answers)
		}
		if a := nodes[0].cluster.Query(ctx, cluster.To{Member: "n02"}, "fail", nil); !errors.Is(a[0].Err, cluster.ErrAnswer) {
			t.Errorf("%+v", a)
		}
		if a := nodes[0].cluster.Query(ctx, cluster.To{Member: "nobody"}, "x", nil); !errors.Is(a[0].Err, cluster.ErrNotAlive) {
			t.Errorf("%+v", a)
		}
		ids := nodes[3].issue(1, 20)
		if err := nodes[0].cluster.Fetch(ctx, "n03", []journal.Range{{Incarnation: ids[0].Incarnation, Spans: journal.Spans{{First: 1, Last: 1}}}}); err != nil {
			t.Error(err)
		}
	})
}

func TestNodesStartedTogether(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		for _, n := range nodes {
			n.cfg = func(c *cluster.Config) { c.Join = []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"} }
		}
		r.start(nodes...)
		r.ready(nodes...)
		r.until(time.Minute, "the state is complete everywhere", func() bool {
			for _, n := range nodes {
				if !n.journal.Complete() {
					return false
				}
			}
			return true
		})
	})
}

func TestTwoHalvesThatNeverMet(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(4, 1)
		for _, n := range nodes {
			n.cfg = func(c *cluster.Config) { c.Join = []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"} }
		}
		r.net.Partition(addrs(nodes[:2]), addrs(nodes[2:]), true)
		r.start(nodes...)
		time.Sleep(5 * time.Minute)
		ids := append(nodes[0].issue(3, 10), nodes[2].issue(3, 10)...)
		r.net.Partition(addrs(nodes[:2]), addrs(nodes[2:]), false)
		r.ready(nodes...)
		r.until(time.Minute, "everybody has everything", func() bool { return all(nodes, ids) })
	})
}

func TestNobodyConfirmsWhatNobodyWasTold(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		r.start(nodes[0], nodes[2])
		r.ready(nodes[0], nodes[2])
		r.net.Partition([]netip.Addr{nodes[1].host.Addr()}, []netip.Addr{nodes[0].host.Addr(), nodes[2].host.Addr()}, true)
		r.start(nodes[1])
		ids := nodes[1].issue(1, 60)
		for _, level := range []cluster.Level{cluster.WaitPeer, cluster.WaitAll} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			missing, err := nodes[1].cluster.WaitFor(ctx, ids[0], level)
			cancel()
			if err != nil || len(missing) == 0 {
				t.Errorf("level %v: confirmed by a node that has met nobody: %v", level, err)
			}
		}
		r.net.Partition([]netip.Addr{nodes[1].host.Addr()}, []netip.Addr{nodes[0].host.Addr(), nodes[2].host.Addr()}, false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if missing, err := nodes[1].cluster.WaitFor(ctx, ids[0], cluster.WaitAll); err != nil || len(missing) > 0 {
			t.Errorf("after a minute together, missing %v, %v", missing, err)
		}
		if !all(nodes, ids) {
			t.Error("confirmed, and not applied everywhere")
		}
	})
}
