package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/journaled"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

const port = 7946

var secret = []byte("0123456789abcdef0123456789abcdef")

// rig is a cluster on a simulated network, in a bubble of synctest.
type rig struct {
	t     *testing.T
	net   *simnet.Net
	began time.Time
	nodes []*node
	log   *slog.Logger
}

// node is one member with its journal.
type node struct {
	rig     *rig
	name    string
	pop     string
	host    *simnet.Host
	disk    *vfs.Memory
	cfg     func(*cluster.Config)
	keep    time.Duration // entries; 0: the default
	cluster *cluster.Cluster
	journal journaled.Journal

	mu      sync.Mutex
	applied map[journal.ID]time.Time
	twice   int
	gaps    int
}

func newRig(t *testing.T, seed uint64, link func(from, to netip.Addr) simnet.Link) *rig {
	t.Logf("seed %d", seed)
	return &rig{t: t, net: simnet.New(seed, link), began: time.Now(), log: slog.New(slog.DiscardHandler)}
}

func (r *rig) addr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i + 1)})
}

// add makes a member without starting it.
func (r *rig) add(name, pop string) *node {
	n := &node{rig: r, name: name, pop: pop, host: r.net.Host(r.addr(len(r.nodes))), disk: vfs.NewMemory()}
	n.applied = make(map[journal.ID]time.Time)
	r.nodes = append(r.nodes, n)
	return n
}

// start starts members at once; all join by the first one's address.
func (r *rig) start(nodes ...*node) {
	for _, n := range nodes {
		n.start()
	}
}

func (n *node) start() {
	n.rig.t.Helper()
	if err := n.tryStart(); err != nil {
		n.rig.t.Fatalf("start %s: %v", n.name, err)
	}
}

func (n *node) tryStart() error {
	j, err := durable.Open(durable.Config{FS: n.disk, Owner: n.name, Limits: journal.Limits{Retention: n.keep}})
	if err != nil {
		return err
	}
	n.journal = journaled.Journal{Journal: j}
	j.Start(n.apply)
	cfg := cluster.Config{
		Name: n.name, POP: n.pop, Identity: j.Recovered().Node, Version: "test",
		Bind: netip.AddrPortFrom(n.host.Addr(), port), Secrets: [][]byte{secret},
		Journal: n.journal, Network: n.host,
		Clock: func() time.Duration { return time.Since(n.rig.began) }, Log: n.rig.log.With("node", n.name),
	}
	if first := n.rig.nodes[0]; first != n {
		cfg.Join = []string{netip.AddrPortFrom(first.host.Addr(), port).String()}
	}
	if n.cfg != nil {
		n.cfg(&cfg)
	}
	if n.cluster, err = cluster.New(cfg); err != nil {
		return err
	}
	return n.cluster.Start()
}

func (n *node) apply(steps []durable.Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range steps {
		if s.Gap {
			n.gaps++
			continue
		}
		if s.Entry.Kind == 0 {
			continue // the state has changed
		}
		if _, again := n.applied[s.Entry.ID]; again {
			n.twice++
			continue
		}
		n.applied[s.Entry.ID] = time.Now()
	}
}

func (n *node) appliedAt(id journal.ID) (time.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at, ok := n.applied[id]
	return at, ok
}

// dropped returns how often the member was told to drop what it had stored.
func (n *node) dropped() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.gaps
}

// crash ends a member without a word, and what its disk had not synced.
func (n *node) crash() {
	n.host.Crash()
	if err := n.cluster.Close(); err != nil {
		n.rig.t.Logf("close %s: %v", n.name, err)
	}
	n.disk.Crash(rand.New(rand.NewPCG(1, 2)))
	n.forget()
}

// stop ends a member in order.
func (n *node) stop() {
	if n.cluster == nil {
		return
	}
	if err := n.cluster.Close(); err != nil {
		n.rig.t.Errorf("close %s: %v", n.name, err)
	}
	if err := n.journal.Close(); err != nil {
		n.rig.t.Errorf("close the journal of %s: %v", n.name, err)
	}
	n.cluster = nil
}

func (n *node) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.applied, n.cluster = make(map[journal.ID]time.Time), nil
}

// issue has a member issue entries, synced before they count.
func (n *node) issue(count, size int) []journal.ID {
	n.rig.t.Helper()
	var ids []journal.ID
	for range count {
		step, ticket, err := n.journal.Append(journal.Draft{Kind: journal.KindPurge, Body: make([]byte, size)})
		if err != nil {
			n.rig.t.Fatalf("append on %s: %v", n.name, err)
		}
		n.cluster.Publish([]journal.Entry{step.Entry})
		if err := ticket.Wait(context.Background()); err != nil {
			n.rig.t.Fatalf("sync on %s: %v", n.name, err)
		}
		ids = append(ids, step.Entry.ID)
	}
	return ids
}

// run runs a test in a bubble and stops what is left of the members.
func run(t *testing.T, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		f(t)
		// Timers of memberlist outlive it by a few seconds.
		time.Sleep(time.Minute)
	})
}

func (r *rig) stop() {
	var wg sync.WaitGroup
	for _, n := range r.nodes {
		wg.Go(n.stop)
	}
	wg.Wait()
}

// until waits in virtual time for a condition, at most a while.
func (r *rig) until(limit time.Duration, what string, cond func() bool) time.Duration {
	r.t.Helper()
	began := time.Now()
	for !cond() {
		if time.Since(began) > limit {
			r.t.Fatalf("after %v still not: %s", limit, what)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}

func (r *rig) ready(nodes ...*node) {
	r.t.Helper()
	r.until(time.Minute, "all ready with each other", func() bool {
		for _, n := range nodes {
			if !n.cluster.Ready() || len(n.cluster.Members()) < len(nodes) {
				return false
			}
			for _, m := range n.cluster.Members() {
				if m.State != cluster.MemberSelf && (m.State != cluster.MemberAlive || m.RTT == 0) {
					return false
				}
			}
		}
		return true
	})
}

// all tells whether members have applied entries.
func all(nodes []*node, ids []journal.ID) bool {
	for _, n := range nodes {
		for _, id := range ids {
			if _, ok := n.appliedAt(id); !ok {
				return false
			}
		}
	}
	return true
}

// many makes members in a few POPs.
func (r *rig) many(count, pops int) []*node {
	for i := range count {
		r.add(fmt.Sprintf("n%02d", i), fmt.Sprintf("pop%02d", i%pops))
	}
	return slices.Clone(r.nodes)
}

func perfect(d time.Duration) func(from, to netip.Addr) simnet.Link {
	return func(netip.Addr, netip.Addr) simnet.Link { return simnet.Link{Delay: d} }
}

func anySeed() uint64 { return rand.Uint64() }
