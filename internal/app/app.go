package app

import (
	"context"
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
