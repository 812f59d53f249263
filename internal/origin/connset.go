package origin

import (
	"net"
	"sync"
)

// connSet is every open connection of a pool. MaxConns and MaxIdle bound it;
// it exists so that Close can close them and wait for them.
type connSet struct {
	open *gate
	mu   struct {
		sync.Mutex
		conns map[*trackedConn]struct{}
	}
}

// trackedConn is a connection that leaves its set when it is closed.
type trackedConn struct {
	net.Conn
	set     *connSet
	backend *backend
	once    sync.Once
}

func newConnSet() *connSet {
	s := &connSet{open: newGate()}
	s.mu.conns = make(map[*trackedConn]struct{})
	return s
}

func (s *connSet) add(conn net.Conn, b *backend) (*trackedConn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open.enter() {
		return nil, false
	}
	c := &trackedConn{Conn: conn, set: s, backend: b}
	s.mu.conns[c] = struct{}{}
	b.conns.Add(1)
	return c, true
}

// Close implements net.Conn.
func (c *trackedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.backend.conns.Add(-1)
		c.set.mu.Lock()
		delete(c.set.mu.conns, c)
		c.set.mu.Unlock()
		c.set.open.leave()
	})
	return err
}

// close closes every connection and admits no more.
func (s *connSet) close() {
	s.mu.Lock()
	s.open.shut()
	conns := make([]*trackedConn, 0, len(s.mu.conns))
	for c := range s.mu.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
	<-s.open.idle
}
