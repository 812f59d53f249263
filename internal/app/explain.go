package app

import (
	"context"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// explain tells what this node would do with a request, and why. It changes
// nothing and asks no origin.
func (a *App) explain(_ context.Context, url string, request field.Fields) (api.Explanation, error) {
	target, err := purge.ParseTarget(url)
	if err != nil {
		return api.Explanation{}, err
	}
	now := time.Now()
	e := api.Explanation{
		URL: url, Node: a.began.Node.Name, Time: now, Variants: []api.Variant{}, Outcome: api.WouldRefuse, Reason: "unknown-host",
	}
	id, ok := a.proxy.ServiceOf(target.Hostname())
	a.mu.Lock()
	svc := a.mu.services[id]
	a.mu.Unlock()
	if !ok || svc == nil {
		e.Hints = append(e.Hints, api.Hint{
			Code: api.HintNoService, Text: "No service has the host " + target.Hostname() + ".",
			Next: "check the domains in the configuration",
		})
		return e, nil
	}
	x := &explaining{a: a, svc: svc, now: now, asked: target, request: svc.normalRequest(request), out: &e}
	x.explain()
	return e, nil
}

// normalRequest is the request as the data plane looks it up.
func (s *service) normalRequest(f field.Fields) field.Fields {
	f = f.Clone()
	switch {
	case len(s.proxy.Compression.Encodings) > 0:
		f = f.Without("Accept-Encoding")
	case !s.proxy.KeepEncodings:
		if value, ok := f.Joined("Accept-Encoding"); ok {
			f = f.Set("Accept-Encoding", httpcache.NormalAcceptEncoding(value))
		}
	}
	return f
}

// explaining is one explanation in the making.
type explaining struct {
	a       *App
	svc     *service
	now     time.Time
	asked   field.Target
	request field.Fields
	out     *api.Explanation

	key   field.Key     // that is looked up
	heads []*store.Head // of what is stored, newest first
	best  *store.Head   // the one that answers
}

func (x *explaining) explain() {
	e, svc := x.out, x.svc
	target := x.asked
	if target.Scheme == "" {
		target.Scheme = "https"
	}
	if x.collect(target); x.asked.Scheme == "" && len(x.heads) == 0 {
		target.Scheme = "http"
		x.collect(target)
	}
	keyed := svc.proxy.Query.Apply(target)
	e.Service, e.Normal, e.Position = svc.config.ID, keyed.String(), uint64(svc.judge.Marks.Position())
	e.QueryRule = strings.TrimSpace(string(svc.config.Cache.Query.Mode) + " " + strings.Join(svc.config.Cache.Query.Names, " "))
	tags := x.a.hasher.AppendTags(nil, e.Service, keyed)
	for _, h := range x.heads {
		e.Variants = append(e.Variants, x.variant(h))
		tags = h.AppendTags(tags)
	}
	x.decide()
	x.distrust()
	if t, ok := x.a.control.LastPurge(e.Service, tags); ok {
		e.LastPurge = hitOf(t)
	}
	if miss, ok := x.a.views.misses.Last(x.key); ok {
		e.LastMiss = &api.LastMiss{Time: miss.Time, Reason: missReason(miss.Outcome, miss.Reason), Purge: miss.Purge}
	}
	x.hint(target, keyed)
}

func missReason(outcome event.Outcome, reason string) string {
	if reason == "" {
		return string(outcome)
	}
	return reason
}

func (x *explaining) keyOf(t field.Target) field.Key {
	return x.a.hasher.Key(x.svc.proxy.KeySpace, x.svc.proxy.Query.Apply(t))
}

// collect lists what is stored under a target.
func (x *explaining) collect(t field.Target) {
	x.heads, x.best = nil, nil
	x.key = x.keyOf(t)
	x.heads = x.a.stored(x.key)
	for _, h := range x.heads {
		if httpcache.VariantMatches(h.Variant(), x.request) {
			x.best = h
			return
		}
	}
}

// collector is a Matcher that matches nothing and keeps copies of what it is shown.
type collector struct{ heads []*store.Head }

func (c *collector) MatchVariant(h *store.Head) bool {
	c.heads = append(c.heads, h.Clone())
	return false
}

// variant describes one stored response.
func (x *explaining) variant(h *store.Head) api.Variant {
	marks := x.svc.judge.Marks
	verdict := marks.Judge(h, h.Stamp(), h.Times())
	v := api.Variant{
		URL: h.URL(), Matches: h == x.best, Variant: httpcache.VariantText(h.Variant()), Status: h.Status(),
		Size: h.Length(), Age: api.Duration(time.Duration(max(x.now.UnixNano()-h.Born(), 0)).Truncate(time.Second)),
		Stamp: uint64(h.Stamp()), State: x.state(h, verdict), Hits: x.a.hits(x.key, h),
	}
	v.Vary, _ = h.Get("Vary")
	v.ETag, _ = h.Get("ETag")
	v.Modified, _ = h.Get("Last-Modified")
	for i := range h.NumKeys() {
		v.Keys = append(v.Keys, h.SurrogateKey(i))
	}
	v.KeysIgnored = x.svc.proxy.Policy.Keys(field.Target{}, h.AppendFields(nil, true)).Ignored
	if verdict.State != purge.Withdrawn {
		t := verdict.Times
		v.FreshUntil, v.KeptUntil = instant(t.Fresh), instant(t.Keep)
		if t.SWR > t.Fresh {
			v.StaleUntil = instant(t.SWR)
		}
		if t.SIE > t.Fresh {
			v.StaleOnErrorUntil = instant(t.SIE)
		}
	}
	if verdict.State != purge.Live {
		v.Purge = &api.PurgeHit{ID: verdict.By.String()}
		if t, ok := x.a.control.Purged(verdict.By, h.AppendTags(nil)); ok {
			v.Purge = hitOf(t)
		}
	}
	return v
}

func instant(ns int64) *time.Time {
	if ns == 0 {
		return nil
	}
	t := time.Unix(0, ns)
	return &t
}

func (x *explaining) state(h *store.Head, v purge.Verdict) api.VariantState {
	now := x.now.UnixNano()
	switch {
	case v.State == purge.Withdrawn && x.svc.judge.Marks.Settle(h, h.Stamp(), h.Times(), now).Spare:
		return api.VariantRevertible
	case v.State == purge.Withdrawn:
		return api.VariantWithdrawn
	case h.Is(store.Uncacheable):
		return api.VariantUncacheable
	case now < v.Times.Fresh:
		return api.VariantFresh
	case now < v.Times.SWR:
		return api.VariantStale
	case now < v.Times.SIE:
		return api.VariantStaleOnError
	case now < v.Times.Keep:
		return api.VariantKept
	}
	return api.VariantExpired
}

// decide says what a request would get.
func (x *explaining) decide() {
	e := x.out
	e.Outcome, e.Reason = api.WouldMiss, "uri-miss"
	if x.best == nil {
		if len(x.heads) > 0 {
			e.Reason = "vary-miss"
		}
		return
	}
	h, marks := x.best, x.svc.judge.Marks
	verdict := marks.Judge(h, h.Stamp(), h.Times())
	switch {
	case verdict.State == purge.Withdrawn:
		e.Reason = "purged"
		return
	case h.Is(store.Uncacheable):
		e.Outcome, e.Reason = api.WouldPass, "bypass"
		return
	}
	reuse := httpcache.Decide(httpcache.Stored{
		Status: h.Status(), Born: h.Born(), Times: verdict.Times, MustRevalidate: h.Is(store.MustRevalidate),
		HasValidator: h.Is(store.HasValidator), Immutable: h.Is(store.Immutable), Untouched: verdict.State == purge.Live,
	}, httpcache.ParseRequest(x.request), x.svc.proxy.Policy, x.now.UnixNano())
	e.Reason = reuse.Reason.String()
	switch reuse.Verdict {
	case httpcache.Fresh:
		e.Outcome, e.Cached = api.WouldHit, true
	case httpcache.StaleWhileRevalidate:
		e.Outcome, e.Cached = api.WouldStale, true
	case httpcache.Revalidate:
		e.Outcome = api.WouldRevalidate
	}
}

// hitOf describes a purge for people.
func hitOf(t control.Trace) *api.PurgeHit {
	r := t.Receipt
	hit := &api.PurgeHit{
		ID: r.ID.String(), Mode: api.Mode(r.Effect.Mode.String()), Actor: r.Actor, Dialect: r.Dialect,
		Time: r.Accepted, Note: r.Note, Reverted: r.Reverted != nil,
	}
	if t.Selector.Kind != 0 {
		hit.Selector = &api.Selector{Kind: api.SelectorKind(t.Selector.Kind.String()), Value: t.Selector.String()}
	}
	return hit
}

// stored returns copies of the Heads of what is stored under a key, newest
// first.
func (a *App) stored(key field.Key) []*store.Head {
	c := &collector{}
	a.store.Get(key, c).Release()
	return c.heads
}

// hits returns how often a stored response was used.
func (a *App) hits(key field.Key, h *store.Head) uint64 {
	o := a.store.Get(key, this{h})
	if !o.Found() {
		return 0 // it has gone meanwhile
	}
	defer o.Release()
	return o.Hits()
}

// this matches the one Head that another is a copy of.
type this struct{ head *store.Head }

func (t this) MatchVariant(h *store.Head) bool {
	return h.Stamp() == t.head.Stamp() && h.Variant() == t.head.Variant()
}
