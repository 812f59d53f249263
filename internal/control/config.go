package control

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/rescind-edge/rescind/internal/field"
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

	// Limits of this service; what is zero is taken from Config.Limits.
	Limits Limits
}

// Config is what a reload can change. It is not modified once given.
type Config struct {
	Services []Service
	Tokens   []Token

	// Resolve returns the service of a host name, given in lower case and
	// without a port. It is called from many goroutines. Required.
	Resolve func(hostname string) (service string, ok bool)

	// Limits of services that have none of their own.
	Limits Limits
}

// state is a Config made ready for use. It is replaced whole, never changed.
type state struct {
	services map[string]*service
	order    []*service
	tokens   []Token
	limits   Limits // none of them zero
	resolve  func(string) (string, bool)
}

// service is a Service, its limits complete, with what is used of them.
type service struct {
	Service
	usage *usage
}

// usage is what a service has used up. It outlives reloads.
type usage struct {
	sync.Mutex               // makes taking from several limits one step
	engine     *rate.Limiter // purges of all callers together
}

// newState checks a Config. Services and tokens that old has keep what they
// have used up.
func newState(cfg Config, old *state, now time.Time) (*state, error) {
	if cfg.Resolve == nil {
		return nil, errors.New("control: no way to find the service of a host")
	}
	if old == nil {
		old = &state{}
	}
	st := &state{
		services: make(map[string]*service, len(cfg.Services)),
		tokens:   old.keepAccounts(cfg.Tokens),
		limits:   cfg.Limits.or(defaultLimits),
		resolve:  cfg.Resolve,
	}
	for _, s := range cfg.Services {
		if s.ID == "" || st.services[s.ID] != nil {
			return nil, fmt.Errorf("control: service id %q is empty or repeated", s.ID)
		}
		s.Limits = s.Limits.or(st.limits)
		svc := &service{Service: s, usage: old.usageOf(s)}
		st.services[s.ID] = svc
		st.order = append(st.order, svc)
	}
	if err := checkTokens(st.tokens); err != nil {
		return nil, err
	}
	for _, svc := range st.order {
		svc.usage.Lock()
		set(svc.usage.engine, now, svc.Limits.PerSecond, secondly)
		svc.usage.Unlock()
	}
	return st, nil
}

func (st *state) usageOf(s Service) *usage {
	if svc := st.services[s.ID]; svc != nil {
		return svc.usage
	}
	return &usage{
		engine: rate.NewLimiter(secondly(s.Limits.PerSecond)),
	}
}

// keepAccounts returns copies of tokens, which have the accounts that those
// with the same secrets had.
func (st *state) keepAccounts(tokens []Token) []Token {
	out := slices.Clone(tokens)
	for i := range out {
		out[i].account = new(account)
		for _, known := range st.tokens {
			if known.digest == out[i].digest {
				out[i].account = known.account
			}
		}
	}
	return out
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
