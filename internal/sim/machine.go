package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

// Port is where membership listens on every machine.
const Port = 7946

// Secret is what all nodes share.
const Secret = "a secret of thirty-two characters"

// Machine is what outlives a process: name, address, disk and clock. One goroutine
// starts and ends its nodes; others may ask for Node and Durable meanwhile. No
// field changes while a node runs.
type Machine struct {
	Name, POP string
	Host      *simnet.Host
	Disk      *Disk // nil: none
	Clock     *Clock
	Join      []string
	Began     time.Time // of the simulation
	// ShieldPort is told to others as that of requests for a shield; 0: none.
	ShieldPort uint16
	Settings   Settings
	Random     uint64 // seeds what nodes draw

	starts  uint64
	issuers []journal.Incarnation // of earlier nodes on this disk, newest first
	mu      struct {
		sync.Mutex
		node *Node // nil while none runs
		last *Node // whose journal knows what the disk has; nil: none does
	}
}

// Node returns the node that runs; nil: none does.
func (m *Machine) Node() *Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.node
}

// Durable returns what is in the journal on the disk, or in memory where there is
// no disk, also while no node runs.
func (m *Machine) Durable() journal.Vector {
	m.mu.Lock()
	last := m.mu.last
	m.mu.Unlock()
	if last == nil {
		return nil
	}
	return last.Journal.Durable() // it is dead to its disk after a crash, and syncs nothing more
}

// Lose takes note that what the disk had is lost.
func (m *Machine) Lose() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.last, m.issuers = nil, nil
}

// run takes note of the node that runs; nil: none does any more.
func (m *Machine) run(n *Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.node = n
	if n != nil {
		m.mu.last = n
	} else if inc, issued := m.mu.last.Journal.Own(); issued > 0 && m.Disk != nil {
		m.issuers = append([]journal.Incarnation{inc}, m.issuers[:min(len(m.issuers), mostIssuers-1)]...)
	}
}

// mostIssuers is how many a cluster takes.
const mostIssuers = 15

// Settings of nodes. The zero Settings are those of a product.
type Settings struct {
	Witness    bool          // it serves nothing, and counts for the majority
	UndoWindow time.Duration // 0: a minute
	Retention  time.Duration // of entries; 0: a day
	Isolation  cluster.Isolation
	RelayFrom  int // see cluster.Config
	Wraps
}

// Wraps put something between the parts of a node; nil: nothing.
type Wraps struct {
	Engine  func(control.Engine) control.Engine   // between control and the engine
	Cluster func(control.Cluster) control.Cluster // between control and the cluster
	Journal func(cluster.Journal) cluster.Journal // between the cluster and the journal
	Items   func(*journal.Entry) []state.Item     // instead of control.Items
	Issuers func([]journal.Incarnation) []journal.Incarnation
}

// wrapped returns a part of a node as the others see it.
func wrapped[T any](part T, wrap func(T) T) T {
	if wrap == nil {
		return part
	}
	return wrap(part)
}

// Address returns where a host's membership listens, as others are told it.
func Address(host *simnet.Host) string { return netip.AddrPortFrom(host.Addr(), Port).String() }

// errRunning is returned by Start.
var errRunning = errors.New("a node runs already")

// Start starts a node.
func (m *Machine) Start() error {
	if m.Node() != nil {
		return errRunning
	}
	m.starts++
	n, err := m.start()
	if err != nil {
		return fmt.Errorf("start %s: %w", m.Name, err)
	}
	m.run(n)
	return nil
}

// Stop ends the node in order. The error is of its sockets or its journal.
func (m *Machine) Stop() error {
	n := m.Node()
	if n == nil {
		return nil
	}
	m.run(nil)
	n.over.Store(true)
	return errors.Join(n.Cluster.Close(), n.Journal.Close())
}

// Crash ends the node without a word. With chances the power fails, and what was
// not synced may be lost; else the process is killed.
func (m *Machine) Crash(chances *rand.Rand) {
	n := m.Node()
	m.run(nil)
	n.over.Store(true)
	m.Host.Crash()
	if n.mount != nil {
		n.mount.kill(chances)
	}
	_ = n.Cluster.Close() // its sockets are closed already
}
