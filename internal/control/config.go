package control

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Service is what control needs to know of one service.
type Service struct {
	ID      string
	Domains []string        // for people: as configured
	Query   field.QueryRule // the cache key's, so that a URL purge finds its objects

	// AllowFrom holds the addresses that may purge without a token; empty:
	// none. On the admin listener only loopback addresses of it count.
	AllowFrom []netip.Prefix
	// RequireToken makes every purge need a token, whatever the address.
	RequireToken bool
}

// Config is what a reload can change. It is not modified once given.
type Config struct {
	Services []Service
	Tokens   []Token

	// Resolve returns the service of a host name, given in lower case and
	// without a port. It is called from many goroutines. Required.
	Resolve func(hostname string) (service string, ok bool)

	// Rate is the most selectors a second that one service may purge, in bursts
	// of up to two seconds' worth; 0: DefaultRate, negative: unlimited.
	Rate int
}

// DefaultRate is some six times what the busiest invalidating sites known send.
// A tag's mark takes about 200 bytes until it is swept, so at this rate the
// marks of one undo window fill the engine's default budget.
const DefaultRate = 10_000

// state is a Config made ready for use. It is replaced whole, never changed.
type state struct {
	services map[string]*service
	order    []*service
	tokens   []Token
	resolve  func(string) (string, bool)
}

// service is a Service with its limits, which outlive a reload.
type service struct {
	Service
	limit    *rate.Limiter // of purges that callers ask for
	recorded *rate.Limiter // of invalidations that leave a receipt
}

// newState checks a Config. Services that old has keep what they have used up
// of their limits.
func newState(cfg Config, old *state, now time.Time) (*state, error) {
	if cfg.Resolve == nil {
		return nil, errors.New("control: no way to find the service of a host")
	}
	st := &state{
		services: make(map[string]*service, len(cfg.Services)),
		tokens:   slices.Clone(cfg.Tokens),
		resolve:  cfg.Resolve,
	}
	for _, s := range cfg.Services {
		if s.ID == "" || st.services[s.ID] != nil {
			return nil, fmt.Errorf("control: service id %q is empty or repeated", s.ID)
		}
		svc := &service{Service: s}
		svc.keepLimits(old, cfg.Rate, now)
		st.services[s.ID] = svc
		st.order = append(st.order, svc)
	}
	return st, checkTokens(st.tokens)
}

// checkTokens refuses tokens that could not be told apart.
func checkTokens(tokens []Token) error {
	for i := range tokens {
		for j := range tokens[:i] {
			if tokens[i].name == tokens[j].name || tokens[i].digest == tokens[j].digest {
				return fmt.Errorf("control: tokens %q and %q have one name or one value", tokens[j].name, tokens[i].name)
			}
		}
	}
	return nil
}

// keepLimits takes the limiters over from an older state, so that a reload
// does not fill them up.
func (s *service) keepLimits(old *state, perSecond int, now time.Time) {
	limit, burst := limits(perSecond)
	if old == nil || old.services[s.ID] == nil {
		s.limit = rate.NewLimiter(limit, burst)
		s.recorded = rate.NewLimiter(recordedRate, recordedBurst)
		return
	}
	s.limit, s.recorded = old.services[s.ID].limit, old.services[s.ID].recorded
	s.limit.SetLimitAt(now, limit)
	s.limit.SetBurstAt(now, burst)
}

// limits reads Config.Rate. A burst always has room for the largest purge,
// which could never be accepted otherwise.
func limits(perSecond int) (rate.Limit, int) {
	switch {
	case perSecond < 0:
		return rate.Inf, purge.MaxKeys
	case perSecond == 0:
		perSecond = DefaultRate
	}
	return rate.Limit(perSecond), max(2*perSecond, purge.MaxKeys)
}
