package server

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"github.com/rescind-edge/rescind/internal/event"
)

// link is an accepted connection and its entry in the table. Whatever speaks
// on it (TLS, the wrapper) stands above and closes it.
type link struct {
	net.Conn
	table *table
	once  sync.Once

	// Told by a PROXY header, and set before anything else reads or asks.
	remote, local net.Addr // nil: those of Conn
	ahead         buffer   // read together with the header, and behind it

	// Guarded by the table's lock.
	from  netip.Addr // what MaxConnsPerAddress counts; invalid where unknown
	http2 bool       // speaks HTTP/2
	http1 *conn      // the wrapper, once it is known to speak HTTP/1
}

// Close closes the connection and gives up its place.
func (l *link) Close() error {
	err := l.Conn.Close()
	l.once.Do(func() { l.table.remove(l) })
	return err
}

// table holds every accepted connection: it is what MaxConns counts and what a
// drain goes through. Its lock is taken when connections come and go, never
// for a request.
type table struct {
	mu struct {
		sync.Mutex
		links    map[*link]struct{}
		from     map[netip.Addr]int
		notHTTP2 int // links that are in a handshake or speak HTTP/1
		draining bool
	}
	noHTTP1 chan struct{} // closed when a drain has left no such link
	none    chan struct{} // closed when a drain has left no link
}

func newTable() *table {
	t := &table{noHTTP1: make(chan struct{}), none: make(chan struct{})}
	t.mu.links = map[*link]struct{}{}
	t.mu.from = map[netip.Addr]int{}
	return t
}

// add enters a connection, counted by where it comes from; the zero address
// where that is not known yet. Where it returns no link the connection is to be
// closed: for the reason given, or because of a drain where there is none.
func (t *table) add(raw net.Conn, from netip.Addr, limits *Limits) (*link, event.RefusedReason) {
	l := &link{Conn: raw, table: t, from: from}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.mu.draining:
		return nil, ""
	case len(t.mu.links) >= limits.MaxConns:
		return nil, event.RefusedTooManyConnections
	case t.crowdedLocked(from, limits):
		return nil, event.RefusedTooManyFromOneAddress
	}
	t.mu.links[l] = struct{}{}
	t.mu.from[l.from]++
	t.mu.notHTTP2++
	return l, ""
}

func (t *table) crowdedLocked(from netip.Addr, limits *Limits) bool {
	return limits.MaxConnsPerAddress > 0 && from.IsValid() && t.mu.from[from] >= limits.MaxConnsPerAddress
}

// locate counts a link by the address that it has been given since it was
// added. Where it returns a reason the link is to be closed.
func (t *table) locate(l *link, limits *Limits) event.RefusedReason {
	from := origin(l.RemoteAddr())
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.mu.links[l]; !ok {
		return "" // closed meanwhile
	}
	if t.crowdedLocked(from, limits) {
		return event.RefusedTooManyFromOneAddress
	}
	t.leaveLocked(l)
	l.from = from
	t.mu.from[from]++
	return ""
}

// leaveLocked takes a link out of the count by address.
func (t *table) leaveLocked(l *link) {
	if t.mu.from[l.from]--; t.mu.from[l.from] == 0 {
		delete(t.mu.from, l.from)
	}
}

// setHTTP1 records that a link speaks HTTP/1 through c. It returns false when a
// drain has begun: the link is then to be closed.
func (t *table) setHTTP1(l *link, c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.http1 = c
	return !t.mu.draining
}

// setHTTP2 records that a link speaks HTTP/2. It returns false when a drain
// has begun.
func (t *table) setHTTP2(l *link) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.mu.links[l]; ok && !l.http2 {
		l.http2 = true
		t.mu.notHTTP2--
		t.checkLocked()
	}
	return !t.mu.draining
}

// checkLocked closes noHTTP1 and none when it is time. During a drain the
// numbers only fall, because add refuses.
func (t *table) checkLocked() {
	if t.mu.draining && t.mu.notHTTP2 == 0 {
		closeOnce(t.noHTTP1)
	}
	if t.mu.draining && len(t.mu.links) == 0 {
		closeOnce(t.none)
	}
}

// closeOnce closes c unless it is closed. Its callers hold a lock.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// open returns how many connections there are.
func (t *table) open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.mu.links)
}

func (t *table) remove(l *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.mu.links, l)
	t.leaveLocked(l)
	if !l.http2 {
		t.mu.notHTTP2--
	}
	t.checkLocked()
}

// drain makes add refuse, cuts handshakes and retires idle HTTP/1 connections.
func (t *table) drain() {
	var shaking []*link
	var wrapped []*conn
	t.mu.Lock()
	t.mu.draining = true
	for l := range t.mu.links {
		switch {
		case l.http1 != nil:
			wrapped = append(wrapped, l.http1)
		case !l.http2:
			shaking = append(shaking, l)
		}
	}
	t.checkLocked()
	t.mu.Unlock()
	for _, l := range shaking {
		l.Close()
	}
	for _, c := range wrapped {
		c.retire()
	}
}

// awaitNoHTTP1 waits, in a drain, until no link is left that is in a handshake
// or speaks HTTP/1, or returns the error of ctx.
func (t *table) awaitNoHTTP1(ctx context.Context) error {
	select {
	case <-t.noHTTP1:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitNone waits, in a drain, until no link is left, or returns the error of ctx.
func (t *table) awaitNone(ctx context.Context) error {
	select {
	case <-t.none:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// closeAll cuts every connection; there will be no more.
func (t *table) closeAll() {
	var all []*link
	t.mu.Lock()
	t.mu.draining = true
	for l := range t.mu.links {
		all = append(all, l)
	}
	t.mu.Unlock()
	for _, l := range all {
		l.Close()
	}
}

// origin is what connections are counted by: an IPv4 address, or an IPv6 /64,
// because one customer of a provider has at least that many addresses.
func origin(a net.Addr) netip.Addr {
	addr := addrOf(a)
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}
