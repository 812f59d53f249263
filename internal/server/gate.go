package server

import (
	"net"
	"sync"
)

// gate is the net.Listener that net/http takes its connections from: those that
// have been admitted and, on a TLS port, have finished their handshake.
type gate struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newGate() *gate {
	return &gate{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// give hands a connection over. It waits only for net/http's accept loop, which
// waits for nothing else. It returns false, with the connection still the
// caller's, once the gate is closed.
func (g *gate) give(c net.Conn) bool {
	select {
	case g.conns <- c:
		return true
	case <-g.closed:
		return false
	}
}

func (g *gate) Accept() (net.Conn, error) {
	select {
	case c := <-g.conns:
		return c, nil
	case <-g.closed:
		return nil, net.ErrClosed
	}
}

func (g *gate) Close() error {
	g.once.Do(func() { close(g.closed) })
	return nil
}

func (g *gate) Addr() net.Addr { return gateAddr{} }

type gateAddr struct{}

func (gateAddr) Network() string { return "gate" }
func (gateAddr) String() string  { return "gate" }
