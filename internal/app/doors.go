package app

import (
	"net/http"

	"github.com/rescind-edge/rescind/internal/admin"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/cloudflare"
	"github.com/rescind-edge/rescind/internal/dialect/fastly"
	"github.com/rescind-edge/rescind/internal/dialect/invalidation"
	"github.com/rescind-edge/rescind/internal/dialect/stackpath"
	"github.com/rescind-edge/rescind/internal/dialect/varnish"
	"github.com/rescind-edge/rescind/internal/proxy"
)

// This file says which dialect is served where.

// openSiteDoors lets requests to the sites' own listeners purge.
func (a *App) openSiteDoors(p *proxy.Config, cfg *config.Config) {
	door := a.door(a.dataClient)
	speaks := make(map[string]bool, len(cfg.Services))
	for _, s := range cfg.Services {
		speaks[s.ID] = s.Purge.Dialect == config.DialectVarnish
	}
	p.Purge = purgeMethod{
		fastly: fastly.Purge(door), varnish: varnish.New(door, control.DataListener),
		inVarnish: func(r *http.Request) bool {
			id, _ := a.control.ServiceOf(r.Host)
			return speaks[id]
		},
	}
	p.PurgeMethods = varnish.Methods()
	p.Refresh = varnish.Refresh(door)
	p.Invalidate, p.InvalidateKeys = a.control.Invalidate, a.control.InvalidateKeys
}

// openAdminDoors adds to the admin listener what its own API and its fallback
// do not answer.
func (a *App) openAdminDoors(c *admin.Config, door dialect.Door) {
	inVarnish := varnish.New(door, control.AdminListener)
	api := fastly.API(door)
	c.Fallback = api
	c.Methods = map[string]http.Handler{
		"PURGE": purgeMethod{fastly: api, varnish: inVarnish, inVarnish: func(*http.Request) bool { return false }},
	}
	c.Paths = map[string]http.Handler{
		cloudflare.Prefix: cloudflare.New(door), invalidation.Path: invalidation.New(door, reach{a}),
	}
	a.uris.Elsewhere = a.takenElsewhere
	inStackPath := stackpath.New(stackpath.Config{Door: door, Key: a.tokens, Quota: &a.uris, Reach: reach{a}})
	for _, prefix := range stackpath.Prefixes() {
		c.Paths[prefix] = inStackPath
	}
	for _, method := range varnish.Methods() {
		c.Methods[method] = inVarnish
	}
}

// purgeMethod answers PURGE and its like in the dialect that the request is
// written in, or, where it could be any, in the one that its service prefers.
type purgeMethod struct {
	fastly, varnish http.Handler
	inVarnish       func(*http.Request) bool
}

func (p purgeMethod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if varnish.Speaks(r) || !fastly.Speaks(r) && p.inVarnish(r) {
		p.varnish.ServeHTTP(w, r)
		return
	}
	p.fastly.ServeHTTP(w, r)
}
