package app

import (
	"fmt"
	"reflect"

	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/proxy"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/shield/edge"
)

// service is a configured service with what runs for it.
type service struct {
	config  config.Service
	pool    *origin.Pool
	parent  *edge.Parent // nil: this node goes to the origin itself
	fetcher *fetch.Fetcher
	judge   *fetch.Judge
	proxy   *proxy.Service
}

// close gives up what is under way and waits for it.
func (s *service) close() {
	s.fetcher.Close()
	s.closePools()
}

// closePools closes what no fetch uses any more.
func (s *service) closePools() {
	if s.parent != nil {
		s.parent.Close()
	}
	s.pool.Close()
}

// plan is the change from one set of services to another.
type plan struct {
	old, next map[string]*service
	made      []*service // new in next
	retired   []*service // not in next
}

// planServices makes the services of a configuration. One that did not change
// keeps running as it is.
func (a *App) planServices(cfg *config.Config) (plan, error) {
	p := plan{old: a.mu.services, next: make(map[string]*service, len(cfg.Services))}
	for _, c := range cfg.Services {
		if old := p.old[c.ID]; old != nil && reflect.DeepEqual(old.config, c) {
			p.next[c.ID] = old
			continue
		}
		s, err := a.newService(c)
		if err != nil {
			p.abandon()
			return plan{}, err
		}
		p.made = append(p.made, s)
		p.next[c.ID] = s
	}
	for id, old := range p.old {
		if p.next[id] != old {
			p.retired = append(p.retired, old)
		}
	}
	return p, nil
}

// abandon closes what was made in vain.
func (p plan) abandon() {
	for _, s := range p.made {
		s.close()
	}
}

// begin makes the new services' settings count in the engine.
func (p plan) begin() {
	for _, s := range p.made {
		s.judge.Marks.SetUndoWindow(s.config.Purge.UndoWindow)
	}
}

// withdrawOrphans purges what is stored of services that are gone, or whose
// rule for queries changed: nothing finds it any more, or purges by URL would
// miss it.
func (a *App) withdrawOrphans(p plan) {
	for _, old := range p.retired {
		next := p.next[old.config.ID]
		if next == nil || next.proxy.Query.Version() != old.proxy.Query.Version() {
			a.purgeAll(old.config.ID)
		}
	}
}

// purgeAll withdraws everything of a service on this node.
func (a *App) purgeAll(id string) {
	now := a.now()
	a.engine.Apply(now, purge.Purge{
		ID: purge.NewID(now / 1e6), Service: id, Tags: []field.Tag{a.hasher.All(id)},
	})
}

func (a *App) newService(c config.Service) (*service, error) {
	pool, err := origin.New(originConfig(c, a.log))
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", c.ID, err)
	}
	s := &service{config: c, pool: pool, judge: &fetch.Judge{Marks: a.engine.Service(c.ID)}}
	policy, query := cachePolicy(c), queryRule(c.Cache.Query)
	fetching := fetch.Config{
		Service: c.ID, Store: a.store, Judge: s.judge, Hasher: a.hasher, Origin: pool, Policy: policy,
		Log: a.log, MaxObject: int64(c.Cache.MaxObject), Counters: a.countersOf(c.ID),
	}
	if s.parent = a.newParent(c, pool); s.parent != nil {
		fetching.Parent = s.parent
	}
	s.fetcher = fetch.New(fetching)
	s.proxy = &proxy.Service{
		ID: c.ID, Domains: c.Domains, Fetcher: s.fetcher, Judge: s.judge, Policy: policy,
		Query: query, KeySpace: c.ID + " " + query.Version(), KeepEncodings: c.Cache.AcceptEncoding == config.EncodingPass,
		DebugFrom: c.DebugFrom, TrustedProxies: c.TrustedProxies, Forwarded: c.Forwarded, NoCacheStatus: !c.CacheStatus,
		Request: rewrite(c.Headers.Request), Response: rewrite(c.Headers.Response), ErrorPage: errorPage(c.ErrorPages),
		Compression: compression(c.Cache.Compress), MaxBody: int64(c.BodyBytes), Refresh: c.Purge.Refresh,
		Shields: a.shields(c),
	}
	return s, nil
}

// countersOf returns the counters of a service, which outlive its changes.
func (a *App) countersOf(id string) *fetch.Counters {
	if a.mu.counters[id] == nil {
		a.mu.counters[id] = new(fetch.Counters)
	}
	return a.mu.counters[id]
}

// closeServices closes every service.
func (a *App) closeServices() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.mu.services {
		s.close()
	}
}
