package cluster_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/journaled"
	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

// stuck is a journal whose disk does not answer.
type stuck struct {
	journaled.Journal
	stuck atomic.Bool
}

func (s *stuck) Sync(ctx context.Context) error {
	if s.stuck.Load() {
		return errors.New("the disk is full")
	}
	return s.Journal.Sync(ctx)
}

func TestNothingIsAcknowledgedBeforeItIsDurable(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		var disk *stuck
		nodes[2].cfg = func(c *cluster.Config) {
			disk = &stuck{Journal: nodes[2].journal}
			c.Journal = disk
		}
		r.start(nodes...)
		r.ready(nodes...)
		disk.stuck.Store(true)
		ids := nodes[0].issue(3, 50)
		missing := wait(t, nodes[0], ids[2], cluster.WaitAll, 20*time.Second)
		if !all(nodes, ids) {
			t.Error("a node whose disk fails does not apply entries")
		}
		if len(missing) != 1 || missing[0] != "n02" {
			t.Errorf("missing %v, want the one whose disk fails", missing)
		}
		disk.stuck.Store(false)
		if missing := wait(t, nodes[0], ids[2], cluster.WaitAll, 5*time.Second); len(missing) > 0 {
			t.Errorf("missing %v after its disk works again", missing)
		}
	})
}

func TestWhoRefusesWhileIsolatedIsNotWaitedForForEver(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(5, 2)
		nodes[4].cfg = func(c *cluster.Config) {
			c.Isolation = cluster.Isolation{Policy: cluster.PolicyRefuse, After: 10 * time.Second}
		}
		r.start(nodes...)
		r.ready(nodes...)
		r.net.Partition(addrs(nodes[:4]), addrs(nodes[4:]), true)
		id := nodes[0].issue(1, 50)[0]
		began := time.Now()
		missing := wait(t, nodes[0], id, cluster.WaitAll, time.Minute)
		if took := time.Since(began); len(missing) > 0 || took < 11*time.Second || took > 14*time.Second {
			t.Errorf("after %v missing %v", took, missing)
		}
		if !nodes[4].cluster.Isolated() {
			t.Error("the claim was wrong: it is not isolated")
		}
	})
}

// A flooding member holds the secret and sends whatever it likes.
func TestAFloodingMember(t *testing.T) {
	run(t, func(t *testing.T) {
		seed := anySeed()
		r := newRig(t, seed, perfect(5*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		r.start(nodes...)
		r.ready(nodes...)
		rng := rand.New(rand.NewPCG(seed, 2))
		evil := r.net.Host(netip.MustParseAddr("10.9.9.9"))
		conn, err := evil.ListenPacket(netip.MustParseAddrPort("10.9.9.9:1"))
		if err != nil {
			t.Fatal(err)
		}
		ring, err := seal.NewKeyring([][]byte{secret})
		if err != nil {
			t.Fatal(err)
		}
		to := netip.AddrPortFrom(nodes[0].host.Addr(), port+1)
		genuine := seal.NewSealer(ring, seal.Session{1}).Seal(nil, nil)
		for i := range 4000 {
			s := seal.NewSealer(ring, seal.Session{byte(i), byte(i >> 8), 7})
			var content []byte
			switch rng.IntN(5) {
			case 0:
				content = make([]byte, rng.IntN(seal.MaxContent))
				for j := range content {
					content[j] = byte(rng.Uint32())
				}
			case 1:
				content = wire.AppendBatch(nil, rng.Uint64(), make([]byte, 500))
			case 2:
				ack := wire.Ack{Receiver: wire.ID(rng.Uint64()), Incarnation: journal.Incarnation{byte(i)}, Head: rng.Uint64()}
				content = wire.AppendFrame(nil, wire.TypeAck, wire.AppendAck(nil, &ack))
			case 3:
				content = wire.AppendProbe(nil, &wire.Probe{Nonce: rng.Uint64()})
			case 4:
				e := journal.Entry{ID: journal.ID{Incarnation: journal.Incarnation{9, byte(i), byte(i >> 8)}, Seq: 1 + rng.Uint64N(1000)}, Kind: 77, Time: time.Now().UnixMilli()}
				data, _ := journalwire.AppendBatch(nil, []journal.Entry{e}, 1000)
				content = wire.AppendBatch(nil, 1, data)
			}
			packet := s.Seal(nil, content)
			if rng.IntN(4) == 0 {
				packet[rng.IntN(len(packet))] ^= 1
			}
			if _, err := conn.WriteTo(packet, to); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.WriteTo(genuine, to); err != nil { // replayed
				t.Fatal(err)
			}
			if i%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		ids := nodes[1].issue(5, 50)
		r.until(5*time.Second, "entries still spread", func() bool { return all(nodes, ids) })
		s := nodes[0].cluster.Stats()
		if s.Packets["forged"] == 0 || s.Packets["replayed"] < 1000 || s.Malformed == 0 {
			t.Errorf("not counted: %+v, malformed %d", s.Packets, s.Malformed)
		}
		if _, err := evil.Dial(t.Context(), to); err != nil { // and says nothing
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for _, n := range nodes {
			if !n.cluster.Ready() || n.cluster.Isolated() {
				t.Errorf("%s: %+v", n.name, n.cluster.Health())
			}
		}
	})
}

// Random histories: whatever happens to members and network, in the end
// everybody has applied everything that was acknowledged to its issuer's
// caller, and nobody is said to have what it has not.
func TestRandomHistories(t *testing.T) {
	run(t, func(t *testing.T) {
		seed := anySeed()
		rng := rand.New(rand.NewPCG(seed, 3))
		r := newRig(t, seed, func(_, _ netip.Addr) simnet.Link {
			return simnet.Link{Delay: 25 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.05, Duplicate: 0.05}
		})
		defer r.stop()
		nodes := r.many(6, 3)
		r.start(nodes...)
		r.ready(nodes...)
		var ids []journal.ID
		down := map[*node]bool{}
		for range 60 {
			n := nodes[rng.IntN(len(nodes))]
			switch k := rng.IntN(10); {
			case down[n]:
				n.start()
				delete(down, n)
			case k == 0 && len(down) < 3:
				n.crash()
				down[n] = true
			case k == 1:
				r.net.Block(addrs(nodes[:rng.IntN(6)]), addrs(nodes[rng.IntN(6):]), true)
			case k == 2:
				r.net.Partition(addrs(nodes), addrs(nodes), false)
			case k == 3:
				n.host.SetSlow(time.Duration(rng.IntN(400)) * time.Millisecond)
			default:
				ids = append(ids, n.issue(1+rng.IntN(20), rng.IntN(1500))...)
			}
			time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
			r.truthful(nodes, down, ids)
		}
		r.net.Partition(addrs(nodes), addrs(nodes), false)
		for _, n := range nodes {
			n.host.SetSlow(0)
			if down[n] {
				n.start()
			}
		}
		r.until(5*time.Minute, "everybody has everything", func() bool { return all(nodes, ids) })
		r.ready(nodes...)
	})
}

// truthful checks that nobody is said to have applied what it has not.
func (r *rig) truthful(nodes []*node, down map[*node]bool, ids []journal.ID) {
	r.t.Helper()
	for _, n := range nodes {
		if down[n] {
			continue
		}
		for _, id := range ids[max(0, len(ids)-50):] {
			if own, _ := n.journal.Own(); own != id.Incarnation {
				continue
			}
			for _, c := range n.cluster.Progress(id).Members {
				for _, m := range nodes {
					if _, has := m.appliedAt(id); c.Applied && m.name == c.Member.Name && !down[m] && !has {
						r.t.Fatalf("%s says that %s has %v", n.name, m.name, id)
					}
				}
			}
		}
	}
}

func TestAnOversizeMessageEndsItsStream(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(time.Millisecond))
		defer r.stop()
		nodes := r.many(2, 1)
		r.start(nodes...)
		r.ready(nodes...)
		ring, err := seal.NewKeyring([][]byte{secret})
		if err != nil {
			t.Fatal(err)
		}
		evil := r.net.Host(netip.MustParseAddr("10.9.9.9"))
		conn, err := evil.Dial(t.Context(), netip.AddrPortFrom(nodes[0].host.Addr(), port+1))
		if err != nil {
			t.Fatal(err)
		}
		stream, err := seal.Dial(conn, ring, rand.NewChaCha8([32]byte{}))
		if err != nil {
			t.Fatal(err)
		}
		hello := wire.Hello{Name: "evil"}
		request := wire.Request{Op: wire.OpHello, Body: hello.Append(nil)}
		if err := stream.WriteMessage(request.Append(nil)); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []wire.Request{
			{Op: 99, Number: 1},
			{Op: wire.OpPush, Number: 2, Body: []byte("\x00not entries")},
			{Op: wire.OpGive, Number: 3, Body: []byte("\x01not a state")},
			{Op: wire.OpSync, Number: 4, Body: []byte{200}},
		} {
			if err := stream.WriteMessage(bad.Append(nil)); err != nil {
				t.Fatal(err)
			}
			answer, err := stream.ReadMessage(1000, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := wire.ParseResponse(answer); err != nil || got.Status == wire.StatusOK {
				t.Errorf("request %d: %+v %v", bad.Number, got, err)
			}
		}
		request = wire.Request{Op: wire.OpPush, Number: 5, Body: make([]byte, 20<<20)}
		_ = stream.WriteMessage(request.Append(nil)) // fails where the other side gives up
		if _, err := stream.ReadMessage(1000, nil); err == nil {
			t.Error("an oversize request was answered")
		}
		ids := nodes[1].issue(1, 50)
		r.until(time.Second, "entries still spread", func() bool { return all(nodes, ids) })
	})
}

func TestANodeThatWakesIsIsolatedAtOnce(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		var slept atomic.Int64
		nodes[2].cfg = func(c *cluster.Config) {
			c.Clock = func() time.Duration { return time.Since(r.began) + time.Duration(slept.Load()) }
		}
		r.start(nodes...)
		r.ready(nodes...)
		r.until(10*time.Second, "not isolated", func() bool { return !nodes[2].cluster.Isolated() })
		slept.Store(int64(time.Minute))
		if !nodes[2].cluster.Isolated() {
			t.Error("it slept for a minute, and the first question after that finds it not isolated")
		}
		r.until(10*time.Second, "not isolated", func() bool { return !nodes[2].cluster.Isolated() })
	})
}

func TestANodeWithNothingStoredTakesHeadsOver(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		nodes[2].cfg = func(c *cluster.Config) { c.Empty = true }
		r.start(nodes[:2]...)
		r.ready(nodes[:2]...)
		before := nodes[0].issue(50, 50)
		r.until(time.Second, "applied", func() bool { return all(nodes[:2], before) })
		nodes[2].start()
		r.ready(nodes...)
		if _, applied := nodes[2].appliedAt(before[0]); applied {
			t.Error("it fetched what could not matter to it")
		}
		after := nodes[0].issue(1, 50)
		r.until(time.Second, "applied", func() bool { return all(nodes, after) })
		if missing := wait(t, nodes[0], after[0], cluster.WaitAll, 5*time.Second); len(missing) > 0 {
			t.Errorf("missing %v", missing)
		}
	})
}
