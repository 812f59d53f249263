package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
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

// hint tells what most often stands between a purge and what somebody sees.
func (x *explaining) hint(target, keyed field.Target) {
	e, svc := x.out, x.svc
	add := func(code api.HintCode, text, next string) {
		e.Hints = append(e.Hints, api.Hint{Code: code, Text: text, Next: next})
	}
	if keyed != target {
		add(api.HintQueryRule, "The service's rule for queries ("+e.QueryRule+") makes it "+keyed.String()+".", "")
	}
	var keys []string
	for _, v := range e.Variants {
		keys = append(keys, v.Keys...)
	}
	missed := false
	if t, near := x.a.control.NearKey(svc.config.ID, keys); near {
		missed = true
		add(api.HintKeyCase, fmt.Sprintf("The key %q was purged (%s); what is stored has it in other letters. Keys are case-sensitive.", t.Selector.Key, t.Receipt.ID),
			"purge by the key as the response has it")
	}
	if t, near := x.a.control.NearURL(svc.config.ID, target); near {
		missed = true
		add(api.HintURLCase, "A purge named "+t.Selector.String()+", which differs in case or a final slash.", "purge the URL as it is requested")
	}
	if x.best != nil && !x.best.Is(store.Uncacheable) && len(keys) == 0 {
		add(api.HintNoKeys, "What is stored carries no surrogate keys, so no purge by key takes it.", "let the origin send Surrogate-Key")
	}
	x.hintIgnoredKeys(add)
	if x.best == nil && len(x.heads) > 0 {
		add(api.HintVariant, "Other variants are stored than the one asked for.", "give the request fields that Vary names")
	}
	x.hintStaleness(add, missed)
	if e.LastPurge != nil && e.LastPurge.Reverted {
		add(api.HintReverted, "The last purge that named it ("+e.LastPurge.ID+") was taken back.", "")
	}
	x.hintShield(add, keyed)
	if !slices.ContainsFunc(svc.pool.Status(), func(o origin.OriginStatus) bool { return o.State.Usable() }) {
		add(api.HintOrigin, "No origin of the service is healthy.", "see rescind status")
	}
	if other := otherScheme(target); x.asked.Scheme != "" && len(x.heads) == 0 && len(x.a.stored(x.keyOf(other))) > 0 {
		add(api.HintAnotherScheme, "It is stored as "+other.String()+".", "a purge of the URL without a scheme takes both, as do PURGE and rescind purge --url")
	}
	if svc.config.Cache.RequestDirectives == config.DirectivesObey && x.request.Has("Cache-Control") {
		add(api.HintRequestField, "The request's Cache-Control counts (request_directives: obey).", "")
	}
}

// hintIgnoredKeys says that what is stored has keys by which it is not found.
func (x *explaining) hintIgnoredKeys(add func(api.HintCode, string, string)) {
	for _, v := range x.out.Variants {
		if v.KeysIgnored > 0 {
			add(api.HintKeysIgnored, fmt.Sprintf("%d of its surrogate keys do not count: they are over a limit of their header, or not printable. Purges by them do not take it.", v.KeysIgnored),
				"let the origin send the rest in a second header, and list that in purge.tag_headers")
			return
		}
	}
}

// hintStaleness says what the state of the stored response hides. missed tells
// that a purge is known that meant it and missed it, which explains more.
func (x *explaining) hintStaleness(add func(api.HintCode, string, string), missed bool) {
	for _, v := range x.out.Variants {
		if !v.Matches {
			continue
		}
		if v.State == api.VariantStale && v.StaleUntil != nil {
			code, why := api.HintStaleServed, "Its life is over"
			if v.Purge != nil {
				code, why = api.HintSoftPurge, "A soft purge ("+v.Purge.ID+") made it stale"
			}
			add(code, why+"; it may be served stale until "+v.StaleUntil.UTC().Format(time.RFC3339)+".", "purge hard to withdraw it at once")
		}
		if v.State == api.VariantUncacheable {
			add(api.HintUncacheable, "The origin's last response could not be stored.", "see Cache-Status of a response for the reason")
		}
		if p := x.out.LastPurge; !missed && p != nil && v.State == api.VariantFresh && v.Purge == nil && !p.Reverted {
			add(api.HintRefetched, "It was fetched again after the newest purge: it is what the origin sends now.", "look at the origin")
		}
	}
}

func otherScheme(t field.Target) field.Target {
	if t.Scheme == "https" {
		t.Scheme = "http"
	} else {
		t.Scheme = "https"
	}
	return t
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
