package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Port is where membership listens on every machine.
const Port = 7946

// Secret is what all nodes share.
const Secret = "a secret of thirty-two characters"

// Machine is what outlives a process: name, address, disk and clock. Of its fields
// only Node changes while a node runs, and only by Start, Stop and Crash, which
// one goroutine calls.
type Machine struct {
	Name, POP string
	Host      *simnet.Host
	Disk      *Disk // nil: none
	Clock     *Clock
	Join      []string
	Began     time.Time // of the simulation
	Settings  Settings
	Random    uint64 // seeds what nodes draw

	Node   *Node // nil while none runs
	starts uint64
}

// Settings of nodes. The zero Settings are those of a product.
type Settings struct {
	UndoWindow time.Duration // 0: a minute
	Retention  time.Duration // of entries; 0: a day
	Isolation  cluster.Isolation
	RelayFrom  int // see cluster.Config
	// Engine stands between control and the engine; nil: nothing does.
	Engine func(control.Engine) control.Engine
}

// Address returns where a host's membership listens, as others are told it.
func Address(host *simnet.Host) string { return netip.AddrPortFrom(host.Addr(), Port).String() }

// errRunning is returned by Start.
var errRunning = errors.New("a node runs already")

// Start starts a node.
func (m *Machine) Start() error {
	if m.Node != nil {
		return errRunning
	}
	m.starts++
	n, err := m.start()
	if err != nil {
		return fmt.Errorf("start %s: %w", m.Name, err)
	}
	m.Node = n
	return nil
}

// Stop ends the node in order. The error is of its sockets or its journal.
func (m *Machine) Stop() error {
	n := m.Node
	if n == nil {
		return nil
	}
	m.Node = nil
	n.over.Store(true)
	return errors.Join(n.Cluster.Close(), n.Journal.Close())
}

// Crash ends the node without a word. With chances the power fails, and what was
// not synced may be lost; else the process is killed. It returns what the journal
// had made durable.
func (m *Machine) Crash(chances *rand.Rand) journal.Vector {
	n := m.Node
	m.Node = nil
	held := n.Journal.Durable()
	n.over.Store(true)
	m.Host.Crash()
	if n.mount != nil {
		n.mount.kill(chances)
	}
	_ = n.Cluster.Close() // its sockets are closed already
	return held
}
