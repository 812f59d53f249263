package simnet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/network"
)

// Host is a machine on the network; it implements network.Network.
type Host struct {
	net  *Net
	addr netip.Addr
	slow atomic.Int64
	mu   struct {
		sync.Mutex
		packets   map[uint16]*packetConn
		listeners map[uint16]*listener
		conns     map[*conn]struct{}
	}
}

func newHost(n *Net, addr netip.Addr) *Host {
	h := &Host{net: n, addr: addr}
	h.mu.packets = make(map[uint16]*packetConn)
	h.mu.listeners = make(map[uint16]*listener)
	h.mu.conns = make(map[*conn]struct{})
	return h
}

// Addr returns the host's address.
func (h *Host) Addr() netip.Addr { return h.addr }

// SetSlow delays everything that arrives at the host by so much more.
func (h *Host) SetSlow(d time.Duration) { h.slow.Store(int64(d)) }

// Crash closes all sockets of the host at once, without a word to its peers.
// Sockets may then be opened again.
func (h *Host) Crash() {
	h.mu.Lock()
	packets, listeners, conns := h.mu.packets, h.mu.listeners, h.mu.conns
	h.mu.packets = make(map[uint16]*packetConn)
	h.mu.listeners = make(map[uint16]*listener)
	h.mu.conns = make(map[*conn]struct{})
	h.mu.Unlock()
	for _, p := range packets {
		p.Close()
	}
	for _, l := range listeners {
		l.Close()
	}
	for c := range conns {
		c.reset()
	}
}

// ListenPacket opens a packet socket. An unspecified address means the host's.
func (h *Host) ListenPacket(addr netip.AddrPort) (network.PacketConn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.packets[addr.Port()] != nil {
		return nil, fmt.Errorf("listen on %v: %w", addr, syscall.EADDRINUSE)
	}
	p := &packetConn{host: h, addr: netip.AddrPortFrom(h.addr, addr.Port()),
		queue: make(chan packet, queueLength), closed: make(chan struct{})}
	h.mu.packets[addr.Port()] = p
	return p, nil
}

// Listen opens a listener for streams.
func (h *Host) Listen(addr netip.AddrPort) (net.Listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.listeners[addr.Port()] != nil {
		return nil, fmt.Errorf("listen on %v: %w", addr, syscall.EADDRINUSE)
	}
	l := &listener{host: h, addr: netip.AddrPortFrom(h.addr, addr.Port()),
		queue: make(chan *conn, 128), closed: make(chan struct{})}
	h.mu.listeners[addr.Port()] = l
	return l, nil
}

// Dial opens a stream: it takes a round trip, or for ever if there is no way.
func (h *Host) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	h.net.mu.Lock()
	h.net.mu.count.Streams++
	h.net.mu.Unlock()
	there, open := h.net.segment(h.addr, to.Addr(), 0)
	back, openBack := h.net.segment(to.Addr(), h.addr, 0)
	if !open || !openBack {
		<-ctx.Done()
		return nil, fmt.Errorf("dial %v: %w", to, ctx.Err())
	}
	select {
	case <-time.After(there + back):
	case <-ctx.Done():
		return nil, fmt.Errorf("dial %v: %w", to, ctx.Err())
	}
	far := h.net.Host(to.Addr())
	far.mu.Lock()
	l := far.mu.listeners[to.Port()]
	far.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("dial %v: %w", to, syscall.ECONNREFUSED)
	}
	a, b := newPair(h, far, to)
	select {
	case l.queue <- b:
		return a, nil
	default:
		a.reset()
		return nil, fmt.Errorf("dial %v: %w", to, syscall.ECONNREFUSED)
	}
}

// Lookup returns the addresses of a name.
func (h *Host) Lookup(_ context.Context, name string) ([]netip.Addr, error) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	addrs := h.net.mu.names[name]
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return addrs, nil
}

// Alarm returns an alarm that is not set.
func (h *Host) Alarm() (network.Alarm, error) { return network.NewAlarm(), nil }

// queueLength is how many packets a socket holds for its reader.
const queueLength = 4096

type packet struct {
	data []byte
	from netip.AddrPort
}

type packetConn struct {
	host   *Host
	addr   netip.AddrPort
	queue  chan packet
	closed chan struct{}
	once   sync.Once
}

func (p *packetConn) LocalAddr() netip.AddrPort { return p.addr }

func (p *packetConn) Close() error {
	p.once.Do(func() {
		close(p.closed)
		p.host.mu.Lock()
		defer p.host.mu.Unlock()
		if p.host.mu.packets[p.addr.Port()] == p {
			delete(p.host.mu.packets, p.addr.Port())
		}
	})
	return nil
}

func (p *packetConn) ReadFrom(b []byte) (int, netip.AddrPort, error) {
	select {
	case got := <-p.queue:
		return copy(b, got.data), got.from, nil
	case <-p.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (p *packetConn) Receive(room *network.Batch, take func(int) bool) error {
	for {
		select {
		case got := <-p.queue:
			room.Set(0, got.data, got.from)
		case <-p.closed:
			return net.ErrClosed
		}
		if !take(p.more(room)) {
			return nil
		}
	}
}

// more adds to the first packet those that have come, and returns how many there
// are then.
func (p *packetConn) more(room *network.Batch) int {
	for n := 1; n < len(room.Packets); n++ {
		select {
		case got := <-p.queue:
			room.Set(n, got.data, got.from)
		default:
			return n
		}
	}
	return len(room.Packets)
}

func (p *packetConn) WriteEach(packets [][]byte, to []netip.AddrPort) (sent int, err error) {
	for _, at := range to {
		for _, b := range packets {
			if _, err = p.WriteTo(b, at); err != nil {
				return sent, err // closed
			}
			sent++
		}
	}
	return sent, nil
}

func (p *packetConn) WriteTo(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-p.closed:
		return 0, net.ErrClosed
	default:
	}
	far, times := p.host.net.route(p.host.addr, to.Addr(), len(b))
	if far == nil {
		return len(b), nil
	}
	got := packet{append([]byte(nil), b...), p.addr}
	for _, d := range times {
		time.AfterFunc(d, func() { far.receive(to.Port(), got) })
	}
	return len(b), nil
}

func (h *Host) receive(port uint16, got packet) {
	h.mu.Lock()
	p := h.mu.packets[port]
	h.mu.Unlock()
	if p == nil {
		return
	}
	select {
	case p.queue <- got:
	default:
		h.net.overrun()
	}
}
