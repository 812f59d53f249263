package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

const (
	// firstRetry and lastRetry bound the time between two attempts to reach an
	// absent member: it doubles from one to the other, for ever.
	firstRetry = 200 * time.Millisecond // nodes that are started together do not listen at one moment
	lastRetry  = 30 * time.Second
	// resolveAlone is how often the names to join are looked up by a node that
	// has met nobody.
	resolveAlone = time.Second
	// maxJoins is how many absent members are dialled at a time; each attempt
	// takes up to five seconds.
	maxJoins = 8
	// maxAddresses is the most addresses that the names to join may have.
	maxAddresses = 256
	// lookupTimeout bounds the look-up of a name.
	lookupTimeout = 5 * time.Second
)

// attempt is what is known of reaching an address.
type attempt struct {
	wait time.Duration
	next time.Time
	busy bool
	done bool // it has been tried at least once
}

// target is an address to be dialled, and the members of the roster that it is
// for; none for an address from the configuration.
type target struct {
	addr netip.AddrPort
	id   wire.ID
	met  bool // it is alive: to be met again now and then
}

// keepJoined dials, for ever, the members of the roster that are absent and the
// configured addresses at which no live member is.
func (m *membership) keepJoined() {
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, maxJoins)
	for {
		for _, t := range m.absent() {
			if !m.due(t) {
				continue
			}
			select {
			case slots <- struct{}{}:
			case <-m.c.ctx.Done():
				return
			}
			wg.Go(func() {
				m.dial(t)
				<-slots
			})
		}
		if !m.c.pause(firstRetry/2 + time.Duration(rand.Int64N(int64(firstRetry/2)))) {
			return
		}
	}
}

// absent returns whom to dial.
func (m *membership) absent() []target {
	view := m.c.view.Load()
	var out []target
	for name, e := range m.c.roster.current.Load().byName {
		if name != m.c.cfg.Name && view.byID[e.member.ID] == nil {
			out = append(out, target{addr: e.addr, id: e.member.ID})
		}
	}
	known := map[netip.AddrPort]bool{m.c.cfg.Advertise: true}
	for _, p := range view.peers {
		known[p.member] = true
	}
	own := 0
	resolved := m.resolved(len(view.peers) == 0)
	for _, addr := range resolved {
		if addr == m.c.cfg.Advertise {
			own++
		}
		if !known[addr] {
			out = append(out, target{addr: addr})
		}
	}
	m.onlySelf.Store(own > 0 && own == len(resolved))
	return append(out, m.doubtful()...)
}

// resolved returns the configured addresses, looked up anew now and then: often
// while this node is alone.
func (m *membership) resolved(alone bool) []netip.AddrPort {
	every := lastRetry
	if alone {
		every = resolveAlone
	}
	if m.found == nil || time.Since(m.foundAt) >= every {
		m.found, m.foundAt = m.resolve(), time.Now()
		m.mu.Lock()
		m.mu.join = m.found
		m.mu.Unlock()
	}
	return m.found
}

// tried tells whether at each address to join somebody is known or has been
// dialled: before, there may be members that nobody has told of.
func (m *membership) tried() bool {
	if len(m.c.cfg.Join) == 0 {
		return true
	}
	known := map[netip.AddrPort]bool{m.c.cfg.Advertise: true}
	for _, p := range m.c.view.Load().peers {
		known[p.member] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.join == nil {
		return false // the names have not been looked up
	}
	for _, addr := range m.mu.join {
		if a := m.mu.dials[addr.String()]; !known[addr] && (a == nil || !a.done) {
			return false
		}
	}
	return true
}

// resolve returns the configured addresses, names looked up. Names that
// are not found now may be later.
func (m *membership) resolve() []netip.AddrPort {
	out := []netip.AddrPort{} // not nil: it has been looked
	for _, join := range m.c.cfg.Join {
		host, portText, err := net.SplitHostPort(join)
		if err != nil {
			host, portText = join, strconv.Itoa(int(m.c.cfg.Bind.Port()))
		}
		port, err := strconv.ParseUint(portText, 10, 16)
		if err != nil {
			continue // the configuration was checked by whoever read it
		}
		addrs := []netip.Addr{}
		if addr, err := netip.ParseAddr(host); err == nil {
			addrs = append(addrs, addr)
		} else {
			ctx, cancel := context.WithTimeout(m.c.ctx, lookupTimeout)
			found, err := m.c.cfg.Network.Lookup(ctx, host)
			cancel()
			if err != nil {
				m.c.stats.lookupErrors.Add(1)
				m.c.log.Debug("a name to join was not found", "name", host, "error", err)
			}
			addrs = found
		}
		for _, addr := range addrs {
			if len(out) < maxAddresses {
				out = append(out, netip.AddrPortFrom(addr, uint16(port)))
			}
		}
	}
	return out
}

// due tells whether an address is to be dialled now, and takes note that it is.
func (m *membership) due(t target) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := t.addr.String()
	a := m.mu.dials[key]
	if a == nil {
		if len(m.mu.dials) >= maxMembers {
			clear(m.mu.dials)
		}
		a = &attempt{}
		m.mu.dials[key] = a
	}
	if a.busy || time.Now().Before(a.next) {
		return false
	}
	a.busy = true
	return true
}

func (m *membership) dial(t target) {
	refusals := m.names.refusals.Load()
	_, err := m.list.Join([]string{t.addr.String()})
	if err == nil {
		m.accepted(refusals)
	} else if !errors.Is(err, net.ErrClosed) {
		m.c.stats.joinErrors.Add(1)
		m.c.log.Debug("a member could not be reached", "address", t.addr, "error", err)
	}
	m.mu.Lock()
	if a := m.mu.dials[t.addr.String()]; a != nil {
		a.busy, a.done = false, true
		a.wait = min(max(2*a.wait, firstRetry), lastRetry)
		if err == nil && !t.met {
			a.wait = firstRetry
		}
		a.next = time.Now().Add(a.wait*3/4 + time.Duration(rand.Int64N(int64(a.wait/2))))
	}
	if t.id != 0 {
		m.mu.done[t.id] = true
	}
	m.mu.Unlock()
	m.c.assess()
}

// hurry makes all who are absent be dialled soon: where one member has come back,
// others may have.
func (m *membership) hurry() {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.mu.dials {
		if a.next.After(now) {
			a.wait, a.next = 0, now
		}
	}
}

// dialled tells whether a member of the roster has been dialled since the start.
func (m *membership) dialled(id wire.ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.done[id]
}
