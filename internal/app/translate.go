package app

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/compress"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/proxy"
)

// The functions of this file say in each package's own words what the
// configuration file says.

func queryRule(q config.Query) field.QueryRule {
	modes := map[config.QueryMode]field.QueryMode{
		config.QuerySorted: field.QuerySorted, config.QueryIgnore: field.QueryIgnore,
		config.QueryInclude: field.QueryInclude, config.QueryExclude: field.QueryExclude,
	}
	return field.QueryRule{Mode: modes[q.Mode], Names: q.Names} // all is zero
}

func cachePolicy(c config.Service) *httpcache.Policy {
	cookies := map[config.SetCookie]httpcache.SetCookie{
		config.SetCookieStrip: httpcache.SetCookieStrip, config.SetCookieStore: httpcache.SetCookieStore,
	}
	p := &httpcache.Policy{
		DefaultTTL: c.Cache.DefaultTTL, NegativeTTL: c.Cache.NegativeTTL, MaxTTL: c.Cache.MaxTTL,
		DefaultSWR: c.Cache.StaleWhileRevalidate, DefaultSIE: c.Cache.StaleIfError, DefaultKeep: c.Cache.Keep,
		SetCookie: cookies[c.Cache.SetCookie], StoreCloseDelimited: c.Cache.StoreCloseDelimited,
		HitForMiss: c.Cache.HitForMiss, CacheGroups: c.Cache.Groups,
	}
	if c.Cache.RequestDirectives == config.DirectivesObey {
		p.RequestDirectives = httpcache.DirectivesObey
	}
	for _, h := range c.Purge.TagHeaders {
		p.TagHeaders = append(p.TagHeaders, tagHeader(h))
	}
	return p
}

// tagHeader starts from what the header's inventor says and changes what the
// configuration says otherwise.
func tagHeader(h config.TagHeader) httpcache.TagHeader {
	t, ok := httpcache.Preset(h.Name)
	if !ok {
		t = httpcache.TagHeader{Name: h.Name, Separators: " "}
	}
	if h.Separator != "" {
		t.Separators = h.Separator
	}
	if h.FoldCase != nil {
		t.FoldCase = *h.FoldCase
	}
	t.Keep = h.Keep
	return t
}

func originConfig(c config.Service, log *slog.Logger) origin.Config {
	o := origin.Config{
		ConnectTimeout: c.Pool.ConnectTimeout, FirstByteTimeout: c.Pool.FirstByteTimeout, IdleTimeout: c.Pool.IdleTimeout,
		MaxConns: c.Pool.MaxConnections, Retries: c.Pool.Retries, ResolveInterval: c.Pool.ResolveInterval,
		Active: origin.Active{
			Path: c.Pool.Health.Path, Interval: c.Pool.Health.Interval, Timeout: c.Pool.Health.Timeout,
			Healthy: c.Pool.Health.Healthy, Unhealthy: c.Pool.Health.Unhealthy, ExpectedStatus: c.Pool.Health.ExpectStatus,
		},
		Passive: origin.Passive{Failures: orNever(c.Pool.Passive.Failures), Ejection: c.Pool.Passive.EjectFor},
		Log:     log.With("service", c.ID),
	}
	if o.Retries == 0 {
		o.Retries = -1 // there, 0 is the default
	}
	for _, e := range c.Origins {
		o.Origins = append(o.Origins, origin.Endpoint{
			URL: e.URL, Host: e.Host, SNI: e.SNI, InsecureSkipVerify: e.TLSInsecure, HTTP2: e.HTTP2,
		})
	}
	return o
}

// orNever translates a count of which 0 means never to one of which 0 means
// the default and negative never.
func orNever(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

func (a *App) proxyConfig(cfg *config.Config) proxy.Config {
	p := proxy.Config{
		Node: cfg.Node.Name, POP: cfg.Node.POP, Store: a.store, Hasher: a.hasher,
		WriteTimeout: cfg.Limits.WriteTimeout, Log: a.log, Done: a.observe,
		Trust: a.trust(),
	}
	for _, c := range cfg.Services {
		p.Services = append(p.Services, a.mu.services[c.ID].proxy)
	}
	if a.shield.catcher != nil {
		p.Catcher, p.EdgePOP = a.shield.catcher, a.cluster.POPOf
	}
	if a.control != nil {
		a.openSiteDoors(&p, cfg)
	}
	return p
}

func (a *App) controlConfig(cfg *config.Config) (control.Config, error) {
	c := control.Config{Resolve: a.proxy.ServiceOf}
	for _, s := range cfg.Services {
		c.Services = append(c.Services, control.Service{
			ID: s.ID, Domains: s.Domains, Query: queryRule(s.Cache.Query),
			AllowFrom: s.Purge.AllowFrom, RequireToken: s.Purge.RequireToken, Limits: purgeLimits(s.Purge.Limits),
		})
	}
	for _, t := range cfg.Tokens {
		token, err := control.NewToken(tokenSpec(t))
		if err != nil {
			return c, err
		}
		c.Tokens = append(c.Tokens, token)
	}
	return c, nil
}

func rewrite(r config.HeaderRule) proxy.Rewrite {
	w := proxy.Rewrite{Remove: r.Remove}
	for _, h := range r.Set {
		w.Set = w.Set.Add(h.Name, h.Value)
	}
	for _, h := range r.Add {
		w.Add = w.Add.Add(h.Name, h.Value)
	}
	return w
}

func compression(c config.Compress) proxy.Compression {
	out := proxy.Compression{Rule: compress.Rule{Types: c.Types, MinSize: int64(c.MinSize)}}
	for _, name := range c.Encodings {
		if e, ok := compress.Parse(string(name)); ok {
			out.Encodings = append(out.Encodings, e)
		}
	}
	return out
}

// errorPage fills in the pages of a service.
func errorPage(pages []config.ErrorPage) func(int, string, string) (proxy.Page, bool) {
	if len(pages) == 0 {
		return nil
	}
	return func(status int, _, requestID string) (proxy.Page, bool) {
		for _, p := range pages {
			if p.From <= status && status <= p.To {
				return proxy.Page{ContentType: p.ContentType, Body: fill(p.Body, status, requestID)}, true
			}
		}
		return proxy.Page{}, false
	}
}

// fill needs to escape nothing: a status in words and a name that this node
// made hold neither quotes nor angle brackets.
func fill(body []byte, status int, requestID string) []byte {
	return []byte(strings.NewReplacer(
		config.PageStatus, strconv.Itoa(status), config.PageReason, http.StatusText(status), config.PageRequestID, requestID,
	).Replace(string(body)))
}

// purgeLimits translates limits of which 0 means none to those of which 0
// means the default.
func purgeLimits(l config.PurgeLimits) control.Limits {
	return control.Limits{PerHour: orNever(l.PerHour), AllPerHour: orNever(l.AllPerHour)}
}

func serviceIDs(cfg *config.Config) (ids []string) {
	for _, s := range cfg.Services {
		ids = append(ids, s.ID)
	}
	return ids
}

func (a *App) now() int64 { return time.Now().UnixNano() }

// scopes are a token's scopes by name.
func scopes(list []config.Scope) (names []string) {
	for _, s := range list {
		names = append(names, strings.TrimSpace(string(s)))
	}
	return names
}
