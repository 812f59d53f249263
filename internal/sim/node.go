package sim

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/journaled"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/shield/edge"
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/memory"
)

// Service is the id of the only service, Host its only host.
const (
	Service = "s"
	Host    = "www.example"
)

// Node is one process, wired as the product wires it.
type Node struct {
	Journal *durable.Journal
	Cluster *cluster.Cluster
	Control *control.Control
	Engine  *purge.Engine
	Store   store.Store
	Hasher  *field.Hasher
	Applied edge.Log // what it would tell a shield
	// TakenBack is told, as a shield is, of purges that are about to be taken back.
	TakenBack atomic.Pointer[func(service string, id purge.ID)]

	machine *Machine
	mount   *mount // nil: no disk
	judge   *fetch.Judge
	over    atomic.Bool // it has been stopped, or has crashed
	// desk is where reverts and tokens are asked for, one at a time: control
	// keeps others waiting with a mutex, and in a bubble time stands still while
	// anybody waits for one.
	desk chan struct{}
}

// atDesk carries out what control carries out one at a time.
func (n *Node) atDesk(do func()) {
	n.desk <- struct{}{}
	defer func() { <-n.desk }()
	do()
}

// Local returns a caller on the node's own socket, who may do everything.
func Local() control.Credentials {
	return control.Credentials{Local: true, Listener: control.AdminListener}
}

// storeBytes is the budget of a store: far more than the pages of a run.
const storeBytes = 256 << 10

func (m *Machine) start() (*Node, error) {
	draw := &drawer{from: rand.NewChaCha8(seedOf(m.Random, m.starts))}
	n := &Node{machine: m, Hasher: field.RandomHasher(), desk: make(chan struct{}, 1)}
	journalConfig := durable.Config{
		Items: m.Settings.Items, Owner: m.Name, Now: m.Clock.Now, Random: draw,
		Limits: journal.Limits{Retention: m.Settings.Retention},
	}
	if journalConfig.Items == nil {
		journalConfig.Items = control.Items
	}
	if m.Disk != nil {
		n.mount = &mount{disk: m.Disk}
		journalConfig.FS = n.mount
	}
	var err error
	if n.Journal, err = durable.Open(journalConfig); err != nil {
		if n.mount != nil {
			n.mount.kill(nil)
		}
		return nil, err
	}
	n.Engine = purge.NewEngine(purge.Config{UndoWindow: m.Settings.UndoWindow, Start: n.Journal.Position()})
	n.judge = &fetch.Judge{Marks: n.Engine.Service(Service)}
	n.Store = memory.New(memory.Config{Budget: storeBytes})
	if n.Cluster, err = cluster.New(m.clusterConfig(n, draw)); err != nil {
		return nil, err
	}
	if n.Control, err = n.newControl(); err != nil {
		return nil, err
	}
	return n, n.Cluster.Start()
}

func (m *Machine) clusterConfig(n *Node, draw io.Reader) cluster.Config {
	var roles []string
	if m.Settings.Witness {
		roles = []string{"witness"}
	}
	var identity [16]byte // without a disk, the name stands for it
	if m.Disk != nil {
		identity = n.Journal.Recovered().Node
	}
	var own cluster.Journal = journaled.Journal{Journal: n.Journal}
	return cluster.Config{
		Name: m.Name, POP: m.POP, Identity: identity, Version: "sim", Roles: roles,
		Bind: netip.AddrPortFrom(m.Host.Addr(), Port), Join: m.Join, Secrets: [][]byte{[]byte(Secret)},
		Isolation: m.Settings.Isolation, RelayFrom: m.Settings.RelayFrom, ShieldPort: m.ShieldPort,
		Journal: wrapped(own, m.Settings.Journal), Empty: true, HoldsBack: true,
		MayCover: func(e *journal.Entry) bool {
			return n.Control.Stands(e) && m.Clock.Now().Sub(time.UnixMilli(e.Time)) > coverAfter
		},
		Network: m.Host, Clock: func() time.Duration { return m.Clock.boot(m.Began) },
		Random: draw, Issuers: wrapped(m.issuers, m.Settings.Issuers), Log: slog.New(slog.DiscardHandler),
	}
}

// coverAfter is above every undo window and every delay of a run.
const coverAfter = 25 * time.Hour

func (n *Node) newControl() (*control.Control, error) {
	settings := &n.machine.Settings
	services := []control.Service{{ID: Service, Domains: []string{Host}, AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}
	if settings.Witness {
		services = nil
	}
	var engine control.Engine = n.Engine
	var others control.Cluster = members{n.Cluster}
	return control.New(control.Parts{
		Engine: wrapped(engine, settings.Engine), Hasher: n.Hasher, Now: n.machine.Clock.Now, Journal: n.Journal,
		Cluster: wrapped(others, settings.Cluster), Node: n.machine.Name, KeepTokens: true, Applied: follows{n},
	}, control.Config{
		Services: services,
		Resolve:  func(host string) (string, bool) { return Service, host == Host },
		Limits:   control.Limits{PerHour: -1, AllPerHour: -1, PerSecond: -1},
	})
}

// follows is told what a node applies.
type follows struct{ *Node }

func (f follows) Purge(service string, at field.Position, id journal.ID) {
	f.Applied.Purge(service, at, id)
}

func (f follows) Everything(at field.Position) { f.Applied.Everything(at) }

func (f follows) Reverted(service string, id purge.ID) {
	if tell := f.TakenBack.Load(); tell != nil {
		(*tell)(service, id)
	}
}

// Over tells whether the process has ended.
func (n *Node) Over() bool { return n.over.Load() }

// drawer is a source of random bytes for several goroutines.
type drawer struct {
	mu   sync.Mutex
	from *rand.ChaCha8
}

func (d *drawer) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.from.Read(p)
}

func seedOf(a, b uint64) (seed [32]byte) {
	copy(seed[:], fmt.Sprintf("%016x%016x", a, b))
	return seed
}
