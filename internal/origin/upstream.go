package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxAddresses bounds the backends of one name: each has connections,
	// checks and a share of the traffic, and a resolver may answer anything.
	maxAddresses = 64
	// lookupTimeout bounds one look-up; a resolver's own retries end sooner.
	lookupTimeout = 10 * time.Second
	// lookupRetry is the wait after a failed look-up, where ResolveInterval is
	// not shorter: a name that does not resolve yet should not take half a
	// minute to be found once it does.
	lookupRetry = 2 * time.Second
)

// upstream is one configured origin with the backends that its name has now.
type upstream struct {
	pool     *Pool
	endpoint endpoint
	next     atomic.Uint32 // round robin over backends
	looked   chan struct{} // closed when the first look-up has ended

	backends atomic.Pointer[[]*backend] // replaced, never changed
	mu       struct {
		sync.Mutex
		err error // of the last look-up
	}
}

func newUpstream(p *Pool, e endpoint) *upstream {
	return &upstream{pool: p, endpoint: e, looked: make(chan struct{})}
}

// start begins to look the name up, or takes the address that it is.
func (u *upstream) start() {
	if address, ok := u.endpoint.static(); ok {
		u.set([]string{address})
		close(u.looked)
		return
	}
	u.pool.goWork(u.lookups)
}

// goWork runs f until it returns; Close waits for it, so f returns soon after
// the pool's context ends.
func (p *Pool) goWork(f func()) {
	if !p.work.enter() {
		return
	}
	go func() {
		defer p.work.leave()
		f()
	}()
}

func (u *upstream) lookups() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for first := true; ; {
		select {
		case <-u.pool.ctx.Done():
			return
		case <-timer.C:
		}
		wait := u.pool.cfg.ResolveInterval
		if err := u.lookup(); err != nil {
			wait = min(wait, lookupRetry)
		}
		if first {
			close(u.looked)
			first = false
		}
		timer.Reset(wait)
	}
}

// lookup replaces the backends by what the name has now. When it fails they
// stay: an old address that works is worth more than none.
func (u *upstream) lookup() error {
	ctx, cancel := context.WithTimeout(u.pool.ctx, lookupTimeout)
	defer cancel()
	hosts, err := u.pool.cfg.Resolver.LookupHost(ctx, u.endpoint.hostname)
	if u.pool.ctx.Err() != nil {
		return u.pool.ctx.Err()
	}
	var addresses []string
	if err == nil {
		addresses, err = u.addresses(hosts)
	}
	if err != nil {
		err = fmt.Errorf("look up %s: %w", u.endpoint.hostname, err)
	}
	u.noteLookup(err)
	if err == nil {
		u.set(addresses)
	}
	return err
}

func (u *upstream) addresses(hosts []string) ([]string, error) {
	var addresses []string
	for _, host := range hosts {
		if _, err := netip.ParseAddr(host); err == nil {
			addresses = append(addresses, net.JoinHostPort(host, u.endpoint.port))
		}
	}
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	if len(addresses) == 0 {
		return nil, errors.New("the name has no address")
	}
	return addresses[:min(len(addresses), maxAddresses)], nil
}

// noteLookup logs when look-ups begin to fail and when they work again.
func (u *upstream) noteLookup(err error) {
	u.mu.Lock()
	before := u.mu.err
	u.mu.err = err
	u.mu.Unlock()
	switch {
	case err != nil && before == nil:
		u.pool.cfg.Log.Warn("origin name does not resolve; its last addresses stay in use",
			"origin", u.endpoint.url, "addresses", len(u.current()), "error", err)
	case err == nil && before != nil:
		u.pool.cfg.Log.Info("origin name resolves again", "origin", u.endpoint.url)
	}
}

func (u *upstream) lookupError() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.mu.err
}

// current returns the backends, sorted by address. The slice is not changed.
func (u *upstream) current() []*backend {
	if p := u.backends.Load(); p != nil {
		return *p
	}
	return nil
}

// set makes the addresses the backends. Those that stay keep their connections
// and their health; on those that go, exchanges in progress are completed.
func (u *upstream) set(addresses []string) {
	old := u.current()
	backends := make([]*backend, 0, len(addresses))
	for _, address := range addresses {
		i := slices.IndexFunc(old, func(b *backend) bool { return b.address == address })
		if i >= 0 {
			backends = append(backends, old[i])
			continue
		}
		b := newBackend(u.pool, &u.endpoint, address)
		b.startChecks()
		backends = append(backends, b)
	}
	u.backends.Store(&backends)
	u.pool.anyFound()
	for _, b := range old {
		if !slices.Contains(backends, b) {
			b.retire()
			b.closeIdle()
		}
	}
}
