package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/control"
)

// Reload takes up the configuration file again, without dropping a connection
// or an object. Where the file is wrong, everything stays as it is.
func (a *App) Reload() error {
	err := a.reload()
	if err != nil {
		a.log.Error("the configuration was not taken up; the old one stays in force", "error", err)
	}
	return err
}

func (a *App) reload() error {
	if a.opts.ConfigPath == "" {
		return errors.New("this node was not started from a file")
	}
	cfg, err := LoadConfig(a.opts.ConfigPath)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down.Load() {
		return errors.New("the node is stopping")
	}
	for _, name := range needRestart(a.began, cfg) {
		a.log.Warn("a changed setting takes effect at the next start", "setting", name)
	}
	if witness(cfg) != witness(a.began) {
		return errors.New("cluster.role changes at a start, not at a reload")
	}
	p, err := a.planServices(cfg)
	if err != nil {
		return err
	}
	controlConfig, err := a.controlConfig(cfg)
	if err == nil {
		err = a.control.Reconfigure(controlConfig)
	}
	if err != nil {
		p.abandon()
		return fmt.Errorf("tokens and services: %w", err)
	}
	if err := a.rotateKeys(a.mu.config, cfg); err != nil {
		a.log.Error("the cluster's secrets were not changed; the old ones stay", "error", err)
		cfg.Cluster.Secret = a.mu.config.Cluster.Secret // so that the next reload tries again
	}
	p.begin()
	same := reflect.DeepEqual(a.mu.config.AccessLog, cfg.AccessLog) && reflect.DeepEqual(a.mu.config.PurgeLog, cfg.PurgeLog)
	if err := a.replaceLogs(cfg, same); err != nil {
		a.log.Error("the logs were not changed; the old ones stay", "error", err)
	}
	a.mu.config, a.mu.services = cfg, p.next
	unused := a.proxy.Reconfigure(a.proxyConfig(cfg))
	a.withdrawOrphans(p)
	a.views.metrics.SetServices(serviceIDs(cfg))
	a.reloadServer(cfg)
	if err := a.serveEdges(cfg); err != nil {
		a.log.Error("this node cannot act as a shield", "error", err)
	}
	if a.certs != nil {
		if err := a.certs.Reload(); err != nil {
			a.log.Error("the admin listener's certificate was not reloaded; the old one stays", "error", err)
		}
	}
	a.uris.SetPerMinute(orNever(cfg.StackPath.PerMinute))
	setLevel(a.level, cfg.Log.Level)
	a.retire(p.retired, unused)
	a.log.Info("reloaded", "services", len(cfg.Services), "changed", len(p.made))
	return nil
}

// reloadServer changes what of the sites' listeners can change.
func (a *App) reloadServer(cfg *config.Config) {
	if a.server == nil {
		return
	}
	a.server.SetLimits(serverLimits(cfg.Limits))
	if err := a.server.ReloadCertificates(); err != nil {
		a.log.Error("certificates were not reloaded; the old ones stay", "error", err)
	}
}

// retire closes services once no request uses them any more.
func (a *App) retire(retired []*service, unused <-chan struct{}) {
	if len(retired) == 0 {
		return
	}
	a.running.Go(func() {
		<-unused
		for _, s := range retired {
			cut := context.AfterFunc(a.life, s.fetcher.Close) // Stop does not wait for the origin
			s.fetcher.Drain()
			cut()
			s.closePools()
		}
	})
}

// needRestart lists the settings that differ and cannot change while running.
func needRestart(old, next *config.Config) (names []string) {
	if !reflect.DeepEqual(old.Listen, next.Listen) {
		names = append(names, "listen")
	}
	if !sameCluster(old.Cluster, next.Cluster) {
		names = append(names, "cluster")
	}
	if old.Node != next.Node {
		names = append(names, "node")
	}
	if old.Metrics != next.Metrics {
		names = append(names, "metrics")
	}
	if old.Storage != next.Storage {
		names = append(names, "storage")
	}
	if old.Limits.IdleTimeout != next.Limits.IdleTimeout {
		names = append(names, "limits.idle_timeout")
	}
	if old.Log.Format != next.Log.Format {
		names = append(names, "log.format")
	}
	return names
}

// sameCluster leaves out the secrets, which are taken up, unless there is
// nothing that could take them.
func sameCluster(old, next config.Cluster) bool {
	old.Secret, next.Secret = nil, nil
	return reflect.DeepEqual(old, next)
}

// dataClient tells control who sent a PURGE to the data plane. For a host that
// no service has, the address is no good in a request that a browser sends for a
// page: its author may have made that host's name lead here.
func (a *App) dataClient(r *http.Request) control.Credentials {
	addr, forwarded := a.proxy.Client(r)
	if _, known := a.control.ServiceOf(r.Host); !known && byPage(r.Header) {
		forwarded = true
	}
	return control.Credentials{Addr: addr, Forwarded: forwarded}
}

// byPage tells whether a browser sends a request for a page: it says so with
// every method but GET and HEAD.
func byPage(h http.Header) bool {
	return len(h["Origin"]) > 0 || len(h["Sec-Fetch-Site"]) > 0 || len(h["Sec-Fetch-Mode"]) > 0
}

func tokenSpec(t config.Token) control.TokenSpec {
	return control.TokenSpec{
		Name: t.Name, Hash: "sha256:" + hex.EncodeToString(t.Hash[:]), Scopes: scopes(t.Scopes), Services: t.Services,
	}
}
