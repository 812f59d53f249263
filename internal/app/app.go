package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/stackpath"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/live"
	"github.com/rescind-edge/rescind/internal/metrics"
	"github.com/rescind-edge/rescind/internal/proxy"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/server"
	"github.com/rescind-edge/rescind/internal/shield/edge"
	"github.com/rescind-edge/rescind/internal/shield/link"
	"github.com/rescind-edge/rescind/internal/store/memory"
	"github.com/rescind-edge/rescind/internal/sweep"
)

// Options say what to run.
type Options struct {
	ConfigPath string         // file to load, and to load again on Reload
	Config     *config.Config // used instead where ConfigPath is empty
	Stderr     io.Writer      // log; nil discards
	Version    string
}

// App is one node.
type App struct {
	opts    Options
	log     *slog.Logger
	level   *slog.LevelVar
	started time.Time
	began   *config.Config // what the node was started with

	ballast ballast // held for the collector to see
	store   *memory.Store
	engine  *purge.Engine
	journal *durable.Journal
	cluster *cluster.Cluster // nil: the node is alone
	hasher  *field.Hasher
	proxy   *proxy.Proxy
	control *control.Control
	server  *server.Server // nil: a witness
	sweeper *sweep.Sweeper
	admin   *http.Server
	adminAt net.Listener
	running sync.WaitGroup  // sweeper, admin server, services on their way out
	life    context.Context // ends with Stop
	stop    context.CancelFunc
	down    atomic.Bool // draining
	leaving atomic.Bool // told to leave the cluster
	views   views
	access  atomic.Pointer[logs]
	shield  shieldSide           // what it has to do with shields, as an edge or as one
	certs   *server.Certificates // of the admin listener; nil in clear
	tokens  stackpath.Key        // signs access tokens
	uris    stackpath.Window     // of StackPath's API
	lookups lookups

	mu struct {
		sync.Mutex
		config   *config.Config
		services map[string]*service
		counters map[string]*fetch.Counters
		shielded map[string]*edge.Counters
	}
}

// New builds a node from its configuration and opens its admin listener.
// Nothing is answered before Start.
func New(opts Options) (*App, error) {
	cfg := opts.Config
	if opts.ConfigPath != "" {
		var err error
		if cfg, err = LoadConfig(opts.ConfigPath); err != nil {
			return nil, err
		}
	}
	if opts.Stderr == nil {
		opts.Stderr = io.Discard
	}
	a := &App{opts: opts, level: new(slog.LevelVar), started: time.Now(), began: cfg}
	a.life, a.stop = context.WithCancel(context.Background())
	a.log = newLogger(opts.Stderr, cfg.Log, a.level)
	a.mu.counters = make(map[string]*fetch.Counters)
	a.mu.shielded = make(map[string]*edge.Counters)
	a.hasher, a.shield.identity = field.RandomHasher(), link.NewIdentity(a.shieldSeeds)
	journal, err := openJournal(cfg)
	if err != nil {
		return nil, err
	}
	a.journal = journal
	a.engine = purge.NewEngine(purge.Config{Start: journal.Recovered().Start})
	budget := int64(cfg.Storage.Memory)
	if witness(cfg) {
		budget = config.MinMemory // nothing is ever put in
	}
	a.ballast = newBallast(budget, os.Getenv)
	a.store = memory.New(memory.Config{Budget: budget, MaxVariants: cfg.Storage.MaxVariants})
	a.sweeper = &sweep.Sweeper{Store: a.store, Engine: a.engine, Log: a.log}
	if err := a.build(cfg); err != nil {
		a.release()
		return nil, err
	}
	return a, nil
}

// build makes the parts that depend on each other: control resolves hosts by
// the proxy's routes, and the proxy's PURGE door leads to control.
func (a *App) build(cfg *config.Config) error {
	first, err := a.planServices(cfg)
	if err != nil {
		return err
	}
	first.begin()
	a.mu.config, a.mu.services = cfg, first.next
	if err := a.buildViews(cfg); err != nil {
		return err
	}
	a.proxy = proxy.New(a.proxyConfig(cfg))
	controlConfig, err := a.controlConfig(cfg)
	if err != nil {
		return err
	}
	var others control.Cluster
	var elsewhere func(context.Context, purge.ID) ([]byte, error)
	if cfg.Cluster.Enabled() {
		others = members{a} // who is asked for nothing before there is a cluster
		elsewhere, a.lookups = a.receiptElsewhere, make(lookups, maxLookups)
	}
	a.control, err = control.New(control.Parts{
		Engine: a.engine, Hasher: a.hasher, Counter: counter{a}, Sink: records{a},
		Journal: a.journal, Node: cfg.Node.Name, Cluster: others, KeepTokens: cfg.Node.DataDir != "" || others != nil,
		TokenChanged: records{a}.TokenChanged, TokensKnown: a.tokensKnown,
		Applied: appliedHere{a}, Received: records{a}.Received, ReceivedRevert: records{a}.ReceivedRevert,
		Elsewhere: elsewhere,
	}, controlConfig)
	if err != nil {
		return err
	}
	if a.cluster, err = a.newCluster(cfg); err != nil {
		return err
	}
	a.meetShields()
	a.uris.SetPerMinute(orNever(cfg.StackPath.PerMinute))
	if a.tokens, err = stackpath.OpenKey(cfg.Node.DataDir); err != nil {
		return fmt.Errorf("node.data_dir: %w", err)
	}
	a.proxy.Reconfigure(a.proxyConfig(cfg)) // now with the doors to control
	if a.adminAt, err = a.listen(cfg); err != nil {
		return err
	}
	a.admin = &http.Server{
		Handler: a.adminHandler(), ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: adminTimeout, ReadTimeout: adminTimeout, WriteTimeout: 2 * adminTimeout,
		IdleTimeout: cfg.Limits.IdleTimeout, MaxHeaderBytes: adminHeaderBytes,
	}
	return nil
}

// buildViews makes what shows the node's traffic.
func (a *App) buildViews(cfg *config.Config) (err error) {
	if a.views.tail, err = accesslog.Compile(accesslog.Config{Format: accesslog.JSON}); err != nil {
		return err
	}
	opened, err := openLogs(cfg, a.log)
	if err != nil {
		return err
	}
	a.access.Store(opened)
	a.views.misses = live.NewMisses(0)
	sources := metrics.Sources{
		Services: a.serviceMetrics, Store: a.storeMetrics, Purges: a.purgeMetrics,
		Connections: a.connectionMetrics, Logs: a.logMetrics, Journal: a.journalMetrics,
	}
	if cfg.Cluster.Enabled() {
		sources.Cluster = a.clusterMetrics
		if !witness(cfg) {
			sources.Edges = a.edgeMetrics
		}
	}
	a.views.metrics = metrics.New(metrics.Config{
		Version: a.opts.Version, Node: cfg.Node.Name, POP: cfg.Node.POP, Services: serviceIDs(cfg), Log: a.log, Sources: sources,
	})
	return nil
}

// Start listens and serves. Where one listener fails, none is left open.
func (a *App) Start() error {
	cfg, at := a.mu.config, a.adminAt
	if a.cluster != nil {
		if err := a.cluster.Start(); err != nil {
			return fmt.Errorf("cluster.bind: %w", err)
		}
		a.running.Go(func() { a.watchCluster(a.life) })
		a.running.Go(func() { a.spreadInvalidations(a.life) })
	}
	if err := a.serveEdges(cfg); err != nil {
		return err
	}
	if a.server != nil {
		if err := a.server.Start(); err != nil {
			return fmt.Errorf("listen.http, listen.https: %w", err)
		}
		a.running.Go(func() { a.sweeper.Run(a.life) })
		a.running.Go(func() { a.watchRates(a.life) })
	}
	a.running.Go(func() { a.maintainJournal(a.life) })
	a.running.Go(func() {
		if err := a.serveAdmin(); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("admin listener failed", "error", err)
		}
	})
	a.log.Info("serving", "node", cfg.Node.Name, "pop", cfg.Node.POP, "addresses", addresses(a.Addrs()), "admin", at.Addr().String())
	return nil
}

func addresses(list []net.Addr) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

// Addrs returns the addresses of the data plane's listeners; none of a witness.
func (a *App) Addrs() []net.Addr {
	if a.server == nil {
		return nil
	}
	return a.server.Addrs()
}

// AdminAddr returns the address of the admin listener.
func (a *App) AdminAddr() net.Addr { return a.adminAt.Addr() }

// Run starts the node and serves until ctx ends; then it drains.
func (a *App) Run(ctx context.Context) error {
	if err := a.Start(); err != nil {
		a.release()
		return err
	}
	<-ctx.Done()
	return a.Stop()
}

// Stop drains the node: it serves on for drain_delay while /readyz says what is to
// come, then takes no new connection, finishes the requests in flight for as long
// as drain_timeout allows, and releases everything.
func (a *App) Stop() error {
	a.down.Store(true)
	a.mu.Lock()
	delay, timeout := a.mu.config.DrainDelay, a.mu.config.DrainTimeout
	a.mu.Unlock()
	a.log.Info("draining", "delay", delay.String(), "timeout", timeout.String())
	time.Sleep(delay) // purges and requests go on meanwhile; a second signal ends the process
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	edges := a.drainEdges(ctx)
	var err error
	if a.server != nil {
		err = a.server.Shutdown(ctx)
		a.server.Close()
	}
	<-edges
	a.stop()
	a.views.hub.Close()
	if adminErr := a.admin.Shutdown(ctx); adminErr != nil {
		a.admin.Close()
	}
	a.release()
	if err != nil {
		a.log.Warn("requests were cut at the end of the drain", "error", err)
		return fmt.Errorf("requests were still in flight after drain_timeout (%v): %w", timeout, err)
	}
	a.log.Info("stopped")
	return nil
}

// release gives back what New and Start took, as far as they came.
func (a *App) release() {
	a.stop()
	a.views.hub.Close()
	if a.adminAt != nil {
		a.adminAt.Close()
	}
	if a.server != nil {
		a.server.Close()
	}
	a.closeShield()
	a.closeServices()
	if a.proxy != nil {
		a.proxy.Close()
	}
	a.running.Wait()
	a.closeCluster()
	a.closeJournal()
	if l := a.access.Load(); l != nil {
		if err := l.close(); err != nil {
			a.log.Warn("lines of the access or purge log were lost", "error", err)
		}
	}
}

func newLogger(w io.Writer, cfg config.Log, level *slog.LevelVar) *slog.Logger {
	setLevel(level, cfg.Level)
	opts := &slog.HandlerOptions{Level: level}
	if cfg.Format == config.LogJSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

func setLevel(level *slog.LevelVar, name config.LogLevel) {
	levels := map[config.LogLevel]slog.Level{
		config.LogDebug: slog.LevelDebug, config.LogWarn: slog.LevelWarn, config.LogError: slog.LevelError,
	}
	level.Set(levels[name]) // info is zero
}
