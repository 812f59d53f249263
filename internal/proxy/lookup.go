package proxy

import (
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/shield/catch"
	"github.com/rescind-edge/rescind/internal/store"
)

// hash names the resource.
func (x *exchange) hash() state {
	x.keyed = x.service.Query.Apply(x.target)
	x.key = x.cfg.Hasher.Key(x.service.KeySpace, x.keyed)
	x.directives = httpcache.ParseRequest(x.fields)
	x.refreshed = x.edge == nil && x.asksRefresh() && !x.fast && x.cfg.Refresh(x.service.ID, x.target, x.request())
	unknown := x.edge != nil && x.cfg.Catcher.Covers(x.ctx, &x.edge.ask) == catch.NotCovered
	// From here on the request has begun: purges applied later do not concern
	// what it may share.
	x.began = x.service.Judge.Marks.Position()
	if unknown {
		x.found = foundUnknown // nothing is looked up or joined
		return stateMiss
	}
	return stateLookup
}

// lookup finds what is stored for the request and judges it.
func (x *exchange) lookup() state {
	o := x.cfg.Store.Get(x.key, x)
	if !o.Found() {
		return x.absent(x.otherVariants())
	}
	x.verdict = x.service.Judge.Judge(o)
	now := x.start.UnixNano()
	switch {
	case !x.verdict.Usable():
		o.Release()
		return x.absent(foundPurged)
	case o.Head.Is(store.Uncacheable):
		tooLarge := o.Head.Is(store.TooLarge)
		o.Release()
		if x.verdict.Times.Fresh <= now || tooLarge && !x.wantsPart() {
			return x.absent(foundNothing)
		}
		x.found = foundUncacheable
		return x.onlyIfCached(statePass)
	}
	x.object = o
	x.reuse = httpcache.Decide(stored(o, x.verdict), x.directives, x.reusePolicy(), now)
	if x.trust != TrustStored && (x.reuse.Verdict == httpcache.Fresh || x.reuse.Verdict == httpcache.StaleWhileRevalidate) {
		x.reuse.Verdict, x.reuse.Reason = httpcache.Revalidate, httpcache.ReasonIsolated
	}
	if x.edge != nil && x.reuse.Verdict == httpcache.StaleWhileRevalidate {
		// The edge does that for its clients. What it gets had better be fresh, or it
		// would have to come again.
		x.reuse.Verdict = httpcache.Revalidate
	}
	switch x.reuse.Verdict {
	case httpcache.Fresh, httpcache.StaleWhileRevalidate:
		x.found = foundUsable
		return stateHit
	case httpcache.OnlyIfCached:
		return x.onlyIfCached(stateError)
	}
	x.found = foundStale
	return stateMiss
}

// asksRefresh tells whether the request is one that those who may purge refresh
// with.
func (x *exchange) asksRefresh() bool {
	return x.service.Refresh && x.directives.NoCache && x.ask.method == http.MethodGet && x.cfg.Refresh != nil
}

// refreshing obeys the no-cache of a request that refreshes.
var refreshing = httpcache.Policy{RequestDirectives: httpcache.DirectivesObey}

func (x *exchange) reusePolicy() *httpcache.Policy {
	if x.refreshed {
		return &refreshing
	}
	return x.service.Policy
}

// wantsPart tells whether the request is for less than the whole: the head, or
// what a range or a condition leaves.
func (x *exchange) wantsPart() bool {
	if x.ask.method == http.MethodHead {
		return true
	}
	for _, f := range x.fields {
		if isConditional(f.Name) {
			return true
		}
	}
	return false
}

// otherVariants tells a URL of which nothing is stored from one of which only
// other variants are.
func (x *exchange) otherVariants() finding {
	o := x.cfg.Store.Get(x.key, fetch.AnyVariant{})
	if !o.Found() {
		return foundNothing
	}
	defer o.Release()
	if !x.service.Judge.Judge(o).Usable() {
		return foundNothing
	}
	return foundOthers
}

func stored(o store.Object, v store.Verdict) httpcache.Stored {
	return httpcache.Stored{
		Status: o.Head.Status(), Born: o.Head.Born(), Times: v.Times,
		MustRevalidate: o.Head.Is(store.MustRevalidate), HasValidator: o.Head.Is(store.HasValidator),
		Immutable: o.Head.Is(store.Immutable), Untouched: v.State == store.Live && !o.Bound(),
	}
}

func (x *exchange) absent(f finding) state {
	x.found = f
	return x.onlyIfCached(stateMiss)
}

// onlyIfCached answers 504 where the request wants nothing from the origin
// (RFC 9111 section 5.2.1.7), and else goes on.
func (x *exchange) onlyIfCached(next state) state {
	if next == stateError || httpcache.OnlyIfCachedAsked(x.directives, x.service.Policy) {
		return x.refuse(http.StatusGatewayTimeout, "only-if-cached", "Nothing usable is stored, and the request asks for a stored response only.")
	}
	return next
}

// hit answers from the store. A stale response is refreshed behind the
// client's back.
func (x *exchange) hit() state {
	x.outcome = outcomeHit
	if x.reuse.Verdict == httpcache.StaleWhileRevalidate {
		x.outcome = outcomeStale
		x.service.Fetcher.Refresh(x.shared())
	}
	x.answer = answerOf(x.object)
	return stateDeliver
}

// staleInstead tells whether the stored response may stand in for a failed
// fetch, and takes it if so. It is judged again: a purge may have come since.
func (x *exchange) staleInstead() bool {
	o := x.object
	if !o.Found() || x.trust != TrustStored {
		return false
	}
	x.verdict = x.service.Judge.Judge(o)
	now := time.Now().UnixNano()
	if !x.verdict.Usable() || !httpcache.StaleIfError(stored(o, x.verdict), x.directives, x.service.Policy, now) {
		return false
	}
	x.outcome = outcomeStale
	x.answer = answerOf(o)
	return true
}
