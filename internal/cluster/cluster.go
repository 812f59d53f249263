package cluster

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/heart"
	"github.com/rescind-edge/rescind/internal/cluster/network"
	"github.com/rescind-edge/rescind/internal/cluster/proof"
	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/spread"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Cluster is this node's part of the cluster. Its methods may be called by
// several goroutines, and by none after Close.
type Cluster struct {
	cfg     Config
	log     *slog.Logger
	self    wire.ID
	session seal.Session
	meta    wire.Meta
	epoch   time.Time // now counts from here

	ring   atomic.Pointer[seal.Keyring]
	sealer *seal.Sealer
	conn   network.PacketConn
	listen net.Listener
	member *membership
	dialer *dialer
	server *server

	view   atomic.Pointer[view]
	roster rosterKeeper
	health healthKeeper
	stats  counters
	says   says

	core struct {
		sync.Mutex
		*spread.Core
		rtts  map[wire.ID]*rtt
		timer sleeper // of runTimers
		syncs sleeper // of syncApplied
	}
	proof struct {
		sync.Mutex
		*proof.Ledger
		own map[journal.Incarnation]bool
	}
	heart struct {
		sync.Mutex
		*heart.Table
	}

	rounds rounds
	pushes pushQueues
	probes probeTable
	state  stateCache
	news   news

	open bool // between Start and Close
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// New checks a configuration. The error wraps ErrConfig or seal.ErrSecret.
func New(cfg Config) (*Cluster, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	ring, err := cfg.keyring()
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	session, err := seal.NewSession(cfg.Random)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if cfg.Identity == ([16]byte{}) {
		cfg.Identity = identityOf(cfg.Name)
	}
	c := &Cluster{
		cfg: cfg, log: cfg.Log, self: wire.IDOf(cfg.Name), session: session, epoch: time.Now(),
	}
	c.ring.Store(ring)
	c.sealer = seal.NewSealer(ring, session)
	c.meta = wire.Meta{
		Session: session, Identity: cfg.Identity, Started: c.epoch.UnixMilli(), SpreadPort: cfg.SpreadPort,
		POP: cfg.POP, Version: cfg.Version, Roles: cfg.Roles,
		Policy: cfg.Isolation.Policy, After: cfg.Isolation.After, ShieldPort: cfg.ShieldPort,
		HoldsBack: cfg.HoldsBack,
	}
	c.core.Core = spread.New(spread.Config{Self: c.self, POP: cfg.POP, Rate: cfg.Rate, RelayFrom: cfg.RelayFrom})
	c.core.rtts = make(map[wire.ID]*rtt)
	c.proof.Ledger = proof.NewLedger()
	c.proof.own = make(map[journal.Incarnation]bool)
	c.heart.Table = heart.NewTable(c.self)
	for _, inc := range cfg.Issuers {
		c.proof.own[inc] = true
	}
	c.rounds.init()
	c.pushes.init()
	c.probes.init()
	c.news.init()
	c.dialer = newDialer(c)
	c.server = newServer(c)
	c.view.Store(&view{})
	return c, nil
}

// identityOf returns the identity of a node without disks: the same at each start,
// or each would leave one more removed member in the replicated state for a year.
func identityOf(name string) (id [16]byte) {
	sum := sha256.Sum256([]byte("rescind member without disks\x00" + name))
	copy(id[:], sum[:])
	return id
}

// Start opens the sockets and begins to look for the others. It does not wait
// for them: see Ready. The error says which address could not be had; nothing is
// left open then.
func (c *Cluster) Start() (err error) {
	c.ctx, c.stop = context.WithCancel(context.Background())
	var opened []func() error
	defer func() {
		if err != nil {
			c.stop()
			for _, undo := range opened {
				err = errors.Join(err, undo())
			}
		}
	}()
	at := netip.AddrPortFrom(c.cfg.Bind.Addr(), c.cfg.SpreadPort)
	if c.conn, err = c.cfg.Network.ListenPacket(at); err != nil {
		return fmt.Errorf("cluster: listen for entries on %v: %w", at, err)
	}
	opened = append(opened, c.conn.Close)
	if c.listen, err = c.cfg.Network.Listen(at); err != nil {
		return fmt.Errorf("cluster: listen for entries on %v: %w", at, err)
	}
	opened = append(opened, c.listen.Close)
	for _, s := range []*sleeper{&c.core.timer, &c.core.syncs} {
		if err = s.init(c); err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
		opened = append(opened, s.alarm.Close)
	}
	c.loadRoster()
	if c.member, err = newMembership(c); err != nil {
		return fmt.Errorf("cluster: join the membership on %v: %w", c.cfg.Bind, err)
	}
	c.membersChanged()
	c.settle()
	c.refreshRoster()
	c.assess()
	c.wg.Go(c.readPackets)
	c.wg.Go(c.syncApplied)
	c.wg.Go(c.runTimers)
	c.wg.Go(c.runEverySecond)
	c.wg.Go(c.runRounds)
	c.wg.Go(c.runNews)
	c.wg.Go(c.server.accept)
	c.wg.Go(c.member.keepJoined)
	c.wg.Go(c.member.watch)
	c.open = true
	return nil
}

// Close ends all activity and returns when it has ended. Others find out by
// themselves; see Leave to tell them. The error is of closing sockets. Of a
// Cluster that was not started, or could not be, there is nothing to close.
func (c *Cluster) Close() error {
	if !c.open {
		return nil
	}
	c.open = false
	c.stop()
	err := errors.Join(c.conn.Close(), c.listen.Close(), c.core.timer.alarm.Close(), c.core.syncs.alarm.Close(), c.member.close())
	c.dialer.close()
	c.server.close()
	c.wg.Wait()
	c.pushes.wait()
	return err
}

// now is the time of everything but heartbeats.
func (c *Cluster) now() time.Duration { return time.Since(c.epoch) }

// pause waits, and tells whether the cluster is still open.
func (c *Cluster) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}
