package app

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/dialect/native"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/live"
	"github.com/rescind-edge/rescind/internal/metrics"
)

// views are what a node shows of its traffic while it runs.
type views struct {
	metrics *metrics.Metrics
	hub     live.Hub
	tail    *accesslog.Format // of the lines that the hub hands out
	sampler live.Sampler
	urls    live.Top
	keys    live.Top
	misses  *live.Misses
	rates   rates
}

// observe is told of every finished request. It runs on the request's own
// goroutine, so nothing in it waits, and on all cores at once, so nothing in it
// writes to memory that each request writes to, but for the place in a log.
func (a *App) observe(e *event.Request) {
	v := &a.views
	v.metrics.Observe(metrics.Served{
		Service: e.Service, Outcome: e.Outcome, Status: e.Status, Sent: e.Bytes, Received: e.Received,
		Duration: e.Duration, Cut: e.Cut,
	})
	if log := a.access.Load(); log != nil {
		log.log.Request(e)
	}
	v.hub.Publish(e, v.tail.Append)
	if e.Outcome != event.OutcomeHit && e.Outcome != event.OutcomePurge {
		v.misses.Note(e.Key, live.Miss{Time: e.Time, Outcome: e.Outcome, Reason: e.Reason, Status: e.Status})
	}
	if weight := v.sampler.Take(e.Time); weight > 0 {
		v.sample(e, weight)
	}
}

func (v *views) sample(e *event.Request, weight uint64) {
	if e.Service == "" {
		return
	}
	v.urls.Add(e.Time, weight, e.Service, e.Host+e.Target)
	if e.Keys == nil {
		return
	}
	for i := range e.Keys.NumKeys() {
		v.keys.Add(e.Time, weight, e.Service, e.Keys.SurrogateKey(i))
	}
}

// refuse is told of every request that no handler saw.
func (a *App) refuse(e event.Refused) {
	a.views.metrics.Refused(e)
	if log := a.access.Load(); log != nil {
		log.log.Refused(e)
	}
	request := accesslog.FromRefused(a.began.Node.Name, e)
	a.views.hub.Publish(&request, a.views.tail.Append)
	a.log.Debug("request refused", "status", e.Status, "reason", string(e.Reason), "remote", e.Remote,
		"method", e.Method, "target", e.Target)
}

// tailLog hands out the log as it is written.
func (a *App) tailLog(ctx context.Context, t native.Tail) (<-chan []byte, error) {
	filter, err := live.ParseFilter(t.Filter)
	if err != nil {
		return nil, err
	}
	tail, err := a.views.hub.Listen(func(e *event.Request) bool { return filter.Match(e) && t.May(e.Service) })
	if errors.Is(err, live.ErrTooMany) {
		return nil, native.ErrTooManyTails
	}
	if err != nil {
		return nil, err
	}
	lines := make(chan []byte)
	a.running.Go(func() {
		defer close(lines)
		defer tail.Close()
		a.pump(ctx, tail, lines)
	})
	return lines, nil
}

func (a *App) pump(ctx context.Context, tail *live.Tail, lines chan<- []byte) {
	for {
		line, missed, err := tail.Next(ctx)
		if missed > 0 && !send(ctx, lines, missedLine(missed)) {
			return
		}
		if err != nil || !send(ctx, lines, line) {
			return
		}
	}
}

// missedLine stands for lines that a slow reader did not get.
func missedLine(n uint64) []byte {
	line, _ := json.Marshal(api.Missed{Missed: n}) // a number always marshals
	return line
}

func send(ctx context.Context, lines chan<- []byte, line []byte) bool {
	select {
	case lines <- line:
		return true
	case <-ctx.Done():
		return false
	}
}

// ratesWindow is what rates are averages over, and ratesEvery how often the
// counters are looked at for that.
const (
	ratesWindow = 10 * time.Second
	ratesEvery  = time.Second
)

// totals are counters at one instant.
type totals struct {
	at                                                    time.Time
	requests, hits, stale, misses, passes, errors, origin int64
	purges, bytes                                         int64
}

// rates keeps totals of the last seconds.
type rates struct {
	ring [int(ratesWindow/ratesEvery) + 1]atomic.Pointer[totals]
	next atomic.Uint64
}

func (r *rates) note(t totals) {
	r.ring[r.next.Add(1)%uint64(len(r.ring))].Store(&t)
}

// oldest returns the totals from the longest ago.
func (r *rates) oldest() *totals {
	n := uint64(len(r.ring))
	at := r.next.Load()
	for i := uint64(1); i <= n; i++ {
		if t := r.ring[(at+i)%n].Load(); t != nil {
			return t
		}
	}
	return nil
}

func (a *App) totals() totals {
	st := a.proxy.Stats()
	t := totals{
		at: time.Now(), requests: st.Requests.Load(), hits: st.Hits.Load(), stale: st.Stale.Load(),
		misses: st.Misses.Load(), passes: st.Passes.Load(), errors: st.Errors.Load(),
		purges: int64(a.control.Stats().Purges), bytes: a.views.metrics.Sent(),
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.mu.counters {
		t.origin += c.Fetches.Load()
	}
	return t
}

// watchRates keeps the totals that rates are computed from.
func (a *App) watchRates(ctx context.Context) {
	ticker := time.NewTicker(ratesEvery)
	defer ticker.Stop()
	for {
		a.views.rates.note(a.totals())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// top tells what the node is busy with.
func (a *App) top(limit int, may func(service string) bool) api.Top {
	now := a.totals()
	out := api.Top{Node: a.began.Node.Name, Time: now.at, URLs: []api.Hot{}, Keys: []api.Hot{}}
	if old := a.views.rates.oldest(); old != nil && now.at.After(old.at) {
		out.Window, out.Rates = api.Duration(now.at.Sub(old.at)), between(old, &now)
	}
	for _, hot := range a.views.urls.Hottest(now.at, limit, may) {
		out.URLs = append(out.URLs, api.Hot{Service: hot.Service, Name: hot.Name, Rate: hot.Rate})
	}
	for _, hot := range a.views.keys.Hottest(now.at, limit, may) {
		out.Keys = append(out.Keys, api.Hot{Service: hot.Service, Name: hot.Name, Rate: hot.Rate})
	}
	return out
}

func between(old, now *totals) api.Rates {
	seconds := now.at.Sub(old.at).Seconds()
	rate := func(before, after int64) float64 { return float64(after-before) / seconds }
	return api.Rates{
		Requests: rate(old.requests, now.requests), Hits: rate(old.hits, now.hits), Stale: rate(old.stale, now.stale),
		Misses: rate(old.misses, now.misses), Passes: rate(old.passes, now.passes), Errors: rate(old.errors, now.errors),
		OriginRequests: rate(old.origin, now.origin), Purges: rate(old.purges, now.purges), Bytes: rate(old.bytes, now.bytes),
	}
}
