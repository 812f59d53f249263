package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/network"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// mute is a network that lets a member's membership through and, while closed,
// none of its streams and packets of entries. It hears what others send.
type mute struct {
	network.Network
	closed atomic.Bool
}

var errMute = errors.New("no way")

func (m *mute) Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	if addr.Port() == port+1 && m.closed.Load() {
		return nil, errMute
	}
	return m.Network.Dial(ctx, addr)
}

func (m *mute) ListenPacket(addr netip.AddrPort) (network.PacketConn, error) {
	conn, err := m.Network.ListenPacket(addr)
	return mutePackets{conn, m, addr.Port() == port+1}, err
}

func (m *mute) Listen(addr netip.AddrPort) (net.Listener, error) {
	l, err := m.Network.Listen(addr)
	if addr.Port() == port+1 {
		l = muteListener{l, m}
	}
	return l, err
}

type muteListener struct {
	net.Listener
	m *mute
}

func (l muteListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || !l.m.closed.Load() {
			return conn, err
		}
		conn.Close()
	}
}

type mutePackets struct {
	network.PacketConn
	m       *mute
	entries bool
}

func (c mutePackets) WriteTo(b []byte, to netip.AddrPort) (int, error) {
	if c.entries && c.m.closed.Load() {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

func (c mutePackets) WriteEach(packets [][]byte, to []netip.AddrPort) (int, error) {
	if c.entries && c.m.closed.Load() {
		return len(packets) * len(to), nil
	}
	return c.PacketConn.WriteEach(packets, to)
}

// joinAll has all members be told of each other.
func joinAll(nodes []*node) {
	var list []string
	for _, n := range nodes {
		list = append(list, netip.AddrPortFrom(n.host.Addr(), port).String())
	}
	for _, n := range nodes {
		n.cfg = func(c *cluster.Config) { c.Join = list }
	}
}

func TestNodesStartedTogetherEnlistAtOnce(t *testing.T) {
	for _, size := range []int{3, 7} {
		run(t, func(t *testing.T) {
			r := newRig(t, anySeed(), perfect(20*time.Millisecond))
			defer r.stop()
			nodes := r.many(size, 1)
			joinAll(nodes)
			r.start(nodes...)
			took := r.until(time.Minute, "all rosters are complete, and all ready", func() bool {
				for _, n := range nodes {
					if !n.cluster.Ready() || n.cluster.Health().Roster != size {
						return false
					}
				}
				return true
			})
			t.Logf("%d nodes: %v", size, took)
			if took > time.Second {
				t.Errorf("%d nodes that start together take %v to know each other", size, took)
			}
		})
	}
}

func TestALateJoinerIsInAllRostersAtOnce(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(9, 3)
		r.start(nodes[:8]...)
		r.ready(nodes[:8]...)
		r.start(nodes[8])
		took := r.until(time.Minute, "all have it in their roster", func() bool {
			for _, n := range nodes {
				if n.cluster.Health().Roster != 9 {
					return false
				}
			}
			return true
		})
		t.Logf("%v", took)
		if took > time.Second {
			t.Errorf("the news took %v", took)
		}
	})
}

func TestAllAreThoseAliveToo(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(2, 1)
		way := &mute{Network: nodes[1].host}
		nodes[1].cfg = func(c *cluster.Config) { c.Network = way }
		way.closed.Store(true)
		r.start(nodes...)
		r.until(time.Minute, "the second is alive", func() bool { return len(nodes[0].cluster.Members()) == 2 })
		if m := nodes[0].cluster.Members()[1]; m.State != cluster.MemberNew {
			t.Fatalf("it is enlisted, and the test proves nothing: %+v", m)
		}
		id := nodes[0].issue(1, 50)[0]
		if missing := wait(t, nodes[0], id, cluster.WaitAll, 5*time.Second); !slices.Equal(missing, []string{"n01"}) {
			t.Errorf("missing %v, want the one that is alive and has not confirmed", missing)
		}
		if p := nodes[0].cluster.Progress(id); len(p.Members) != 1 || p.Members[0].Applied {
			t.Errorf("%+v", p)
		}
		if nodes[1].cluster.Ready() {
			t.Error("ready, without having heard from anybody")
		}
		way.closed.Store(false)
		if missing := wait(t, nodes[0], id, cluster.WaitAll, time.Minute); len(missing) > 0 {
			t.Errorf("missing %v after the way was free", missing)
		}
		r.ready(nodes...)
		// Who has been enlisted and leaves is not waited for any more.
		if err := nodes[1].cluster.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		nodes[1].stop()
		r.until(time.Minute, "gone", func() bool { return len(nodes[0].cluster.Members()) == 1 })
		if missing := wait(t, nodes[0], nodes[0].issue(1, 50)[0], cluster.WaitAll, time.Second); len(missing) > 0 {
			t.Errorf("missing %v, who has left", missing)
		}
	})
}

// Of three that are to be, two with empty disks meet. Neither may be ready before
// it knows of the other.
func TestNobodyIsReadyWithARosterOfOne(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		joinAll(nodes)
		r.start(nodes[:2]...)
		r.until(time.Minute, "both ready", func() bool {
			for _, n := range nodes[:2] {
				if h := n.cluster.Health(); h.Readiness == cluster.Ready && (h.Roster < 2 || h.Fresh < 2 || !n.journal.Complete()) {
					t.Fatalf("%s is ready: %+v, state complete %v", n.name, h, n.journal.Complete())
				}
			}
			return nodes[0].cluster.Ready() && nodes[1].cluster.Ready()
		})
		r.start(nodes[2])
		r.ready(nodes...)
	})
}

// A new node that meets one member of many, the others being cut off from it, has
// not heard what a majority knows.
func TestANewcomerNeedsAMajorityOfWhatItIsTold(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(6, 1)
		r.start(nodes[:5]...)
		r.ready(nodes[:5]...)
		late := nodes[5:]
		r.net.Partition(addrs(append(nodes[:1:1], late...)), addrs(nodes[1:5]), true)
		time.Sleep(time.Minute)
		r.start(late...)
		for range 60_000 {
			if time.Sleep(time.Millisecond); late[0].cluster.Ready() {
				t.Fatalf("ready: %+v", late[0].cluster.Health())
			}
		}
		if n := late[0].cluster.Health().Roster; n != 6 {
			t.Errorf("it knows of %d members", n)
		}
		r.net.Partition(addrs(append(nodes[:1:1], late...)), addrs(nodes[1:5]), false)
		r.ready(nodes...)
	})
}

// A node that does not know its roster cannot have heard from a majority of it.
func TestWhoHasMetNobodyIsIsolated(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(2, 1)
		r.start(nodes[1])
		time.Sleep(time.Minute)
		if !nodes[1].cluster.Isolated() || nodes[1].cluster.Ready() {
			t.Errorf("it has met nobody: %+v", nodes[1].cluster.Health())
		}
		r.start(nodes[0])
		r.ready(nodes...)
		if nodes[1].cluster.Isolated() {
			t.Errorf("%+v", nodes[1].cluster.Health())
		}
	})
}

// One member has dropped the entries that another lacks, the third has them and
// cannot be asked for a while: nothing may be conceded meanwhile.
func TestAFailedExchangeConcedesNothing(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(10*time.Millisecond))
		defer r.stop()
		nodes := r.many(3, 1)
		nodes[1].keep = 2 * time.Minute
		r.start(nodes...)
		r.ready(nodes...)
		nodes[2].crash()
		ids := nodes[0].issue(10, 50)
		time.Sleep(5 * time.Minute)
		if err := nodes[1].journal.Maintain(); err != nil {
			t.Fatal(err)
		}
		only := &onlyTo{Network: nodes[2].host, not: nodes[0].host.Addr()}
		nodes[2].cfg = func(c *cluster.Config) {
			c.Network = only
			c.Join = []string{netip.AddrPortFrom(nodes[1].host.Addr(), port).String()}
		}
		only.closed.Store(true)
		nodes[2].start()
		time.Sleep(20 * time.Second)
		if nodes[2].dropped() > 0 {
			t.Error("what was stored was dropped, though a live member has what lacks")
		}
		if nodes[2].cluster.Ready() {
			t.Error("ready without what a live member has")
		}
		only.closed.Store(false)
		r.until(time.Minute, "ready", nodes[2].cluster.Ready)
		if !all(nodes[2:], ids) || nodes[2].dropped() > 0 {
			t.Errorf("not all was fetched from who has it; %d gaps", nodes[2].dropped())
		}
		// Who never answers cannot be waited for for ever.
		nodes[2].crash()
		nodes[2].disk = vfs.NewMemory()
		only.closed.Store(true)
		nodes[2].start()
		r.until(3*time.Minute, "conceded", func() bool { return nodes[2].dropped() > 0 })
	})
}

// onlyTo is a network on which, while closed, no streams of entries to one address
// can be opened.
type onlyTo struct {
	network.Network
	not    netip.Addr
	closed atomic.Bool
}

func (o *onlyTo) Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	if o.closed.Load() && addr == netip.AddrPortFrom(o.not, port+1) {
		return nil, errMute
	}
	return o.Network.Dial(ctx, addr)
}

// fullJournal takes nothing while full.
type fullJournal struct {
	cluster.Journal
	full *atomic.Bool
}

func (j fullJournal) Receive(entries []journal.Entry) ([]journal.Entry, error) {
	if j.full.Load() {
		return nil, errors.New("no place")
	}
	return j.Journal.Receive(entries)
}

func TestTheLogSaysOnceThatTheJournalTakesNothing(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), func(_, _ netip.Addr) simnet.Link { return simnet.Link{Delay: 10 * time.Millisecond} })
		defer r.stop()
		nodes := r.many(2, 1)
		handler, said := newLogs()
		full := &atomic.Bool{}
		nodes[1].cfg = func(c *cluster.Config) {
			c.Log, c.Journal = slog.New(handler), fullJournal{c.Journal, full}
		}
		r.start(nodes...)
		r.ready(nodes...)
		for times := 1; times <= 2; times++ {
			full.Store(true)
			var ids []journal.ID
			for range 20 {
				ids = append(ids, nodes[0].issue(1, 50)...)
				time.Sleep(100 * time.Millisecond)
			}
			if n := nodes[1].cluster.Stats().ReceiveErrors; n < 20 {
				t.Errorf("%d failures counted", n)
			}
			if n := said("cannot be applied"); n != times {
				t.Errorf("said %d times, want %d", n, times)
			}
			full.Store(false)
			r.until(time.Minute, "applied", func() bool { return all(nodes, ids) })
		}
	})
}

// What a node was told of the roster outlives a loss of power at once: with fewer
// members a majority is had too easily.
func TestTheRosterOutlivesACrash(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(4, 1)
		joinAll(nodes)
		r.start(nodes[:3]...)
		r.ready(nodes[:3]...)
		r.start(nodes[3])
		r.until(time.Minute, "the fourth is ready and known", func() bool {
			return nodes[3].cluster.Ready() && nodes[0].cluster.Health().Roster == 4
		})
		time.Sleep(100 * time.Millisecond)
		for _, n := range nodes {
			n.crash()
		}
		nodes[0].start()
		if h := nodes[0].cluster.Health(); h.Roster != 4 || h.Majority != 3 {
			t.Errorf("after the crash: %+v", h)
		}
	})
}

func TestANodeThatMeetsNobodySaysWhatToLookAt(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(20*time.Millisecond))
		defer r.stop()
		nodes := r.many(2, 1)
		joinAll(nodes)
		join := nodes[1].cfg
		nodes[1].cfg = func(c *cluster.Config) {
			join(c)
			c.Secrets = [][]byte{[]byte("another secret of some length")}
		}
		r.start(nodes...)
		time.Sleep(30 * time.Second)
		for _, n := range nodes {
			if err := n.cluster.Health().Alone; !errors.Is(err, cluster.ErrAlone) || !strings.Contains(err.Error(), "cluster.secret") {
				t.Errorf("%s says %v", n.name, err)
			}
		}
		if err := nodes[1].cluster.RotateKeys([][]byte{secret}); err != nil {
			t.Fatal(err)
		}
		r.ready(nodes...)
		if err := nodes[0].cluster.Health().Alone; err != nil {
			t.Errorf("it has met somebody, and says %v", err)
		}
	})
}
