package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

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

// Addrs returns the addresses of the data plane's listeners; none of a witness.
func (a *App) Addrs() []net.Addr {
	if a.server == nil {
		return nil
	}
	return a.server.Addrs()
}

// AdminAddr returns the address of the admin listener.
func (a *App) AdminAddr() net.Addr { return a.adminAt.Addr() }

func addresses(list []net.Addr) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}
