package control

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/rescind-edge/rescind/internal/purge"
)

// Limits bound how fast a service may be purged. Each is a token bucket. Those
// an hour are counted for each caller and service by itself: a token, the node's
// own host, or all addresses that are let in without a token.
type Limits struct {
	// PerHour is the most purges by URL, path, host, header, ban and surrogate
	// key an hour, averaged; each counts as one whatever it names. 0:
	// DefaultPerHour, negative: no limit.
	PerHour int
	// AllPerHour is the most purges of everything an hour, averaged. 0:
	// DefaultAllPerHour, negative: no limit.
	AllPerHour int
	// PerSecond bounds the selectors of all callers of a service together. It
	// protects the engine from one service where the other limits are off or
	// spread over many tokens. 0: DefaultPerSecond, negative: no limit.
	PerSecond int
}

// Defaults of Limits. The two an hour are those of the products whose clients
// purge here. A bucket holds a whole hour's worth, since what is promised is an
// average and a deployment spends it at once.
//
// A mark takes about 200 bytes until it is swept, some 70 seconds after its
// purge. With DefaultPerSecond, and a burst of burstSeconds' worth on top, the
// marks of one service stay below 450,000, of the 600,000 that the engine has
// room for.
const (
	DefaultPerHour    = 100_000
	DefaultAllPerHour = 1_000
	DefaultPerSecond  = 5_000

	burstSeconds = 20 // at DefaultPerSecond as much as DefaultPerHour
)

// Unlimited is the Allowance.Remaining of a caller without a limit: large, and
// still a number that clients can parse into 32 bits.
const Unlimited = math.MaxInt32

// or returns l with what is zero taken from fallback.
func (l Limits) or(fallback Limits) Limits {
	for _, f := range [...]struct{ to, from *int }{
		{&l.PerHour, &fallback.PerHour}, {&l.AllPerHour, &fallback.AllPerHour}, {&l.PerSecond, &fallback.PerSecond},
	} {
		if *f.to == 0 {
			*f.to = *f.from
		}
	}
	return l
}

var defaultLimits = Limits{PerHour: DefaultPerHour, AllPerHour: DefaultAllPerHour, PerSecond: DefaultPerSecond}

// demand is what a purge takes from limits.
type demand struct{ selects, alls int }

// budget is what one caller has left for one service. Taking from it goes under
// the lock of the service's usage.
type budget struct {
	selects, alls *rate.Limiter
}

func newBudget(l Limits) *budget {
	return &budget{
		selects: rate.NewLimiter(hourly(l.PerHour)),
		alls:    rate.NewLimiter(hourlyAll(l.AllPerHour)),
	}
}

// adjust changes the limits and leaves what was used.
func (b *budget) adjust(l Limits, now time.Time) {
	set(b.selects, now, l.PerHour, hourly)
	set(b.alls, now, l.AllPerHour, hourlyAll)
}

func set(l *rate.Limiter, now time.Time, n int, of func(int) (rate.Limit, int)) {
	limit, burst := of(n)
	l.SetLimitAt(now, limit)
	l.SetBurstAt(now, burst)
}

// hourly returns the bucket of a number an hour. It always has room for the
// largest purge, which could never be accepted otherwise.
func hourly(n int) (rate.Limit, int) {
	if n < 0 {
		return rate.Inf, purge.MaxKeys
	}
	return rate.Limit(float64(n) / time.Hour.Seconds()), max(n, purge.MaxKeys)
}

// hourlyAll is hourly for purges of everything, of which a purge holds one.
func hourlyAll(n int) (rate.Limit, int) {
	limit, _ := hourly(n)
	return limit, max(n, 1)
}

// secondly returns the bucket of a number a second.
func secondly(n int) (rate.Limit, int) {
	if n < 0 {
		return rate.Inf, purge.MaxKeys
	}
	return rate.Limit(n), max(burstSeconds*n, purge.MaxKeys)
}

// take takes what a purge needs from a caller's budget and from what the
// service can bear, all or nothing, or says when there will be enough.
func (s *service) take(a *account, now time.Time, d demand) error {
	s.usage.Lock()
	defer s.usage.Unlock()
	b := a.budget(s)
	needs := [...]struct {
		from *rate.Limiter
		n    int
		max  string
	}{
		{b.selects, d.selects, "purges by this caller an hour"},
		{b.alls, d.alls, "purges of everything by this caller an hour"},
		{s.usage.engine, d.selects + d.alls, "purges of the service a second"},
	}
	var limited *LimitedError
	for _, need := range needs {
		if wait := waitFor(need.from, now, need.n); wait > 0 && (limited == nil || wait > limited.RetryAfter) {
			limited = &LimitedError{RetryAfter: wait, Limit: need.max}
		}
	}
	if limited != nil {
		return limited
	}
	for _, need := range needs {
		need.from.AllowN(now, need.n)
	}
	return nil
}

// waitFor returns how long until a bucket has n, in whole milliseconds rounded
// up: a fraction of a nanosecond too early would be refused again.
func waitFor(l *rate.Limiter, now time.Time, n int) time.Duration {
	missing := float64(n) - l.TokensAt(now)
	if n == 0 || l.Limit() == rate.Inf || missing <= 0 {
		return 0
	}
	wait := time.Duration(missing / float64(l.Limit()) * float64(time.Second))
	return (wait + time.Millisecond - 1).Truncate(time.Millisecond)
}

// Allowance is what a caller has left of a limit.
type Allowance struct {
	Remaining int       // purges that would be accepted now; Unlimited: no limit
	Reset     time.Time // when Remaining will be at its greatest again
}

// Allowance returns what a caller has left for a service of the limit on purges
// of everything, or of the one on all others. For a service that does not
// exist it is a whole allowance, for a caller that is nobody none.
func (c *Control) Allowance(creds Credentials, serviceID string, everything bool) Allowance {
	st, now := c.state.Load(), c.parts.Now()
	who, err := c.identify(st, creds, now)
	if err != nil || who.token == nil && !st.admitsAnywhere(creds) {
		return Allowance{Reset: now}
	}
	b := newBudget(st.limits)
	if svc := st.services[serviceID]; svc != nil {
		svc.usage.Lock()
		defer svc.usage.Unlock()
		b = c.accountOf(who).budget(svc)
	}
	if everything {
		return allowance(b.alls, now)
	}
	return allowance(b.selects, now)
}

func allowance(l *rate.Limiter, now time.Time) Allowance {
	if l.Limit() == rate.Inf {
		return Allowance{Remaining: Unlimited, Reset: now}
	}
	return Allowance{
		Remaining: max(0, int(l.TokensAt(now))),
		Reset:     now.Add(waitFor(l, now, l.Burst())),
	}
}
