package app

import (
	"maps"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/metrics"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// Status describes the node for people and scripts.
func (a *App) Status() api.Status {
	a.mu.Lock()
	cfg, services := a.mu.config, a.mu.services
	a.mu.Unlock()
	st := api.Status{
		Node: cfg.Node.Name, POP: cfg.Node.POP, Version: a.opts.Version,
		Started: a.started, Uptime: api.Duration(time.Since(a.started).Round(time.Second)),
		Store: a.storeStatus(), Purges: a.purgeStatus(), Traffic: a.trafficStatus(),
	}
	if a.cluster != nil {
		own := a.clusterStatus()
		st.Cluster = &own
	}
	for _, c := range cfg.Services {
		s := services[c.ID]
		st.Traffic.OriginRequests += uint64(s.fetcher.Counters().Fetches.Load())
		st.Services = append(st.Services, serviceStatus(s))
	}
	return st
}

func serviceStatus(s *service) api.ServiceStatus {
	out := api.ServiceStatus{
		ID: s.config.ID, Domains: s.config.Domains,
		Generation: s.judge.Marks.Generation(), Position: uint64(s.judge.Marks.Position()),
	}
	for _, o := range s.pool.Status() {
		reason := o.Why
		if reason == "" {
			reason = o.LookupError
		}
		out.Origins = append(out.Origins, api.OriginStatus{URL: o.URL, Healthy: o.State.Usable(), Reason: reason})
	}
	out.Shield = s.shieldStatus()
	return out
}

func (a *App) storeStatus() api.StoreStatus {
	st := a.store.Stats()
	return api.StoreStatus{
		Objects: st.Objects, Bytes: st.Bytes, Budget: st.Budget, Stored: uint64(st.Stored),
		Evicted: uint64(st.Gone[store.Evicted]), Swept: uint64(st.Gone[store.Swept]),
		Expired: uint64(st.Gone[store.Expired]), Refused: uint64(st.Refused),
	}
}

func (a *App) purgeStatus() api.PurgeStatus {
	st := a.engine.Stats()
	out := api.PurgeStatus{
		Applied: st.Applied, Reverted: st.Reverted, Marks: int64(st.Marks), MarkBytes: st.Bytes, Folded: st.Folded,
	}
	if failing := a.journal.Stats().Failing; failing != nil {
		out.NotSaved = failing.Error()
	}
	return out
}

func (a *App) trafficStatus() api.TrafficStatus {
	st := a.proxy.Stats()
	return api.TrafficStatus{
		Requests: uint64(st.Requests.Load()), Hits: uint64(st.Hits.Load()), Stale: uint64(st.Stale.Load()),
		Misses: uint64(st.Misses.Load()), Passes: uint64(st.Passes.Load()), Errors: uint64(st.Errors.Load()),
	}
}

// serviceMetrics describes what the services' fetches count.
func (a *App) serviceMetrics() (list []metrics.Service) {
	a.mu.Lock()
	services := slices.Collect(maps.Values(a.mu.services))
	a.mu.Unlock()
	for _, s := range services {
		c := s.fetcher.Counters()
		m := metrics.Service{
			ID: s.config.ID, Fetches: uint64(c.Fetches.Load()), Collapsed: uint64(c.Collapsed.Load()),
			Refreshes: uint64(c.Refreshes.Load()), Renewed: uint64(c.NotChanged.Load()), Discarded: uint64(c.Discarded.Load()),
			Abandoned: uint64(c.Abandoned.Load()), IgnoredKeys: uint64(c.IgnoredKeys.Load()),
		}
		for _, o := range s.pool.Status() {
			m.Backends = append(m.Backends, metrics.Backend{
				Origin: o.URL, Address: o.Address, Up: o.State.Usable(), InFlight: o.InFlight, Waiting: o.Waiting,
				Connections: o.Connections, Exchanges: o.Exchanges, Failures: o.Failures,
			})
		}
		m.Shield = s.shieldMetrics()
		list = append(list, m)
	}
	return list
}

func (a *App) storeMetrics() metrics.Store {
	st := a.store.Stats()
	m := metrics.Store{
		Objects: st.Objects, Bytes: st.Bytes, Budget: st.Budget, Stored: uint64(st.Stored), Refused: uint64(st.Refused),
		Gone: make(map[string]uint64, len(st.Gone)),
	}
	for why, n := range st.Gone {
		m.Gone[why.String()] = uint64(n)
	}
	return m
}

func (a *App) purgeMetrics() metrics.Purges {
	st, sweeps, made := a.engine.Stats(), a.sweeper.Stats(), a.control.Stats()
	return metrics.Purges{
		Marks: int64(st.Marks), MarkBytes: st.Bytes, MarkBudget: purge.DefaultMarkBytes, Folded: st.Folded,
		Sweeps: uint64(sweeps.Passes), Dropped: uint64(sweeps.Marks),
		Invalidations: made.Invalidations,
	}
}

func (a *App) connectionMetrics() metrics.Connections {
	if a.server == nil {
		return metrics.Connections{}
	}
	st := a.server.Stats()
	return metrics.Connections{
		Open: st.Open, Accepted: st.Accepted, HandshakeFailures: st.HandshakeFailures,
		HTTP1Requests: st.HTTP1Requests, HTTP2Requests: st.HTTP2Requests,
	}
}
