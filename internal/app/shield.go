package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/shield"
	"github.com/rescind-edge/rescind/internal/shield/catch"
	"github.com/rescind-edge/rescind/internal/shield/edge"
	"github.com/rescind-edge/rescind/internal/shield/link"
)

// shieldSide is what a node has to do with shields: of some services it may be an
// edge, of others a shield.
type shieldSide struct {
	applied  edge.Log // what this node tells shields that it has applied
	identity *link.Identity
	catcher  *catch.Catcher // nil: the node is alone
	server   *http.Server   // of edges; nil: no service of this node has edges
	at       net.Listener   // of server
}

// Times of the listener of edges.
const (
	// edgeIdle is longer than edges keep unused connections, so that it is they who
	// close them.
	edgeIdle = 2 * time.Minute
	// edgeHead bounds the arrival of a request's head, of a node that means well.
	edgeHead = 10 * time.Second
	// edgeSlack is what a request's head gains on its way through an edge: forwarding
	// fields, and what the answer must not be older than.
	edgeSlack = 32 << 10
)

// shields tells whether this node is a shield of a service.
func (a *App) shields(c config.Service) bool {
	return c.Shield.Enabled() && c.Shield.POP == a.began.Node.POP && !witness(a.began)
}

// newParent returns the way of a service's requests through its shield; nil: they go
// to the origin.
func (a *App) newParent(c config.Service, direct *origin.Pool) *edge.Parent {
	if !c.Shield.Enabled() || a.shields(c) || witness(a.began) {
		return nil
	}
	return edge.New(edge.Config{
		Service: c.ID, Name: a.began.Node.Name, Query: queryRule(c.Cache.Query),
		Session: func() shield.Session { return shield.Session(a.cluster.Session()) },
		Members: func() []edge.Member { return a.shieldMembers(c.Shield.POP) },
		Direct:  direct, Applied: &a.shield.applied,
		InForce:  func(id shield.Purge) bool { return a.control.InForce(purge.ID(id)) },
		Unspread: func(t field.Target) bool { return a.control.Unspread(c.ID, t) },
		Pool:     shieldPool(c, a.log), TLS: a.shield.identity.Client(),
		Counters: a.shieldCountersOf(c.ID), Log: a.log,
	})
}

// appliedHere follows what this node applies, as an edge and as a shield.
type appliedHere struct{ *App }

// Purge implements control.Applied.
func (h appliedHere) Purge(service string, at field.Position, id journal.ID) {
	h.shield.applied.Purge(service, at, id)
}

// Everything implements control.Applied.
func (h appliedHere) Everything(at field.Position) { h.shield.applied.Everything(at) }

// Reverted implements control.Applied. Of a purge that has not come yet nobody knows
// the service: it is then one of all.
func (h appliedHere) Reverted(service string, id purge.ID) {
	if h.shield.catcher != nil {
		h.shield.catcher.TakenBack(service, shield.Purge(id))
	}
}

// shieldPool bounds connections to each shield. It waits for the head of a response
// for as long as a shield may wait for the origin, and try again.
func shieldPool(c config.Service, log *slog.Logger) origin.Config {
	tries := time.Duration(1 + c.Pool.Retries)
	return origin.Config{
		FirstByteTimeout: tries*(c.Pool.FirstByteTimeout+c.Pool.ConnectTimeout) + time.Second,
		IdleTimeout:      c.Pool.IdleTimeout + time.Second,
		MaxConns:         c.Pool.MaxConnections, MaxHeaderBytes: 288 << 10, // what an origin may send, and what a shield adds
		Log: log.With("service", c.ID, "through", "shield"),
	}
}

func (a *App) shieldCountersOf(id string) *edge.Counters {
	if a.mu.shielded[id] == nil {
		a.mu.shielded[id] = new(edge.Counters)
	}
	return a.mu.shielded[id]
}

// shieldSeeds are what members know each other by.
func (a *App) shieldSeeds() [][]byte {
	if a.cluster == nil {
		return nil
	}
	return a.cluster.Derive(link.Purpose, link.SeedBytes)
}

func (a *App) shieldMembers(pop string) (list []edge.Member) {
	if a.cluster == nil {
		return nil
	}
	for _, s := range a.cluster.Shields(pop) {
		list = append(list, edge.Member{Name: s.Name, Address: s.Addr.String()})
	}
	return list
}

// meetShields makes what a node needs to be a shield of anything. It comes after
// the cluster.
func (a *App) meetShields() {
	if a.cluster == nil || witness(a.began) {
		return
	}
	a.shield.catcher = catch.New(shield.Session(a.cluster.Session()), a.journal, peers{a}, a.log)
}

// peers are other members as catch sees them.
type peers struct{ *App }

func (p peers) SessionOf(member string) (shield.Session, bool) {
	session, ok := p.cluster.SessionOf(member)
	return shield.Session(session), ok
}

func (p peers) Fetch(ctx context.Context, member string, entries []journal.Range) error {
	if len(entries) == 0 {
		return nil
	}
	return p.cluster.Fetch(ctx, member, entries)
}

func (p peers) CatchUp(ctx context.Context, member string) error {
	return p.cluster.CatchUp(ctx, member)
}

var errNoShieldPort = errors.New("listen.shield: needs an address, since the port two above cluster.bind does not exist")

// serveEdges listens for other nodes, once a service of this node has edges. Where
// it listens is what was said at the start: other members know the port.
func (a *App) serveEdges(cfg *config.Config) error {
	needed := false
	for _, c := range cfg.Services {
		needed = needed || a.shields(c)
	}
	if !needed || a.shield.server != nil || a.shield.catcher == nil {
		return nil
	}
	if a.began.Listen.Shield == "" {
		return errNoShieldPort
	}
	under, err := net.Listen("tcp", a.began.Listen.Shield)
	if err != nil {
		return fmt.Errorf("listen.shield: %w", err)
	}
	at := link.NewListener(under, a.shield.identity, func(remote net.Addr, err error) {
		a.log.Debug("a connection to the listener for edges was refused", "remote", remote.String(), "error", err)
	})
	a.shield.at = at
	a.shield.server = &http.Server{
		Handler: a.membersOnly(a.proxy.Edges()), ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: edgeHead, IdleTimeout: edgeIdle, MaxHeaderBytes: int(cfg.Limits.HeaderBytes) + edgeSlack,
	}
	server := a.shield.server
	a.running.Go(func() {
		if err := server.Serve(at); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			a.log.Error("the listener for edges failed", "error", err)
		}
	})
	a.log.Info("serving edges", "address", at.Addr().String())
	return nil
}

// membersOnly refuses requests over connections that were opened with a secret that
// is good no more.
func (a *App) membersOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.shield.identity.Knows(r.TLS) {
			w.Header().Set("Connection", "close")
			http.Error(w, "this connection was opened with another secret", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// drainEdges finishes requests of edges. The channel is closed when that is done.
func (a *App) drainEdges(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	server := a.edgeServer()
	if server == nil {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}()
	return done
}

func (a *App) edgeServer() *http.Server {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.shield.server
}

// closeShield ends what a node does as a shield.
func (a *App) closeShield() {
	if server := a.edgeServer(); server != nil {
		server.Close()
		a.shield.at.Close()
	}
	if a.shield.catcher != nil {
		a.shield.catcher.Close()
	}
}

// ShieldAddr returns where this node serves edges; nil: it does not.
func (a *App) ShieldAddr() net.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shield.at == nil {
		return nil
	}
	return a.shield.at.Addr()
}
