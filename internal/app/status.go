package app

import (
	"time"

	"github.com/rescind-edge/rescind/api"
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
	return api.PurgeStatus{
		Applied: st.Applied, Reverted: st.Reverted, Marks: int64(st.Marks), MarkBytes: st.Bytes, Folded: st.Folded,
	}
}

func (a *App) trafficStatus() api.TrafficStatus {
	st := a.proxy.Stats()
	return api.TrafficStatus{
		Requests: uint64(st.Requests.Load()), Hits: uint64(st.Hits.Load()), Stale: uint64(st.Stale.Load()),
		Misses: uint64(st.Misses.Load()), Passes: uint64(st.Passes.Load()), Errors: uint64(st.Errors.Load()),
	}
}
