// Package network is the little of a network that the cluster needs, so that it
// runs over sockets and over a simulation alike. It knows nothing of what is
// carried.
package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv6"
)

// PacketConn sends and receives packets. Methods may be called by several
// goroutines, but ReadBatch by one; Close makes who waits in ReadFrom or ReadBatch
// return an error that wraps net.ErrClosed.
type PacketConn interface {
	ReadFrom(b []byte) (n int, from netip.AddrPort, err error)
	// ReadBatch waits for a packet, then takes those that have come, as far as
	// there is room, and returns how many: Data and From of the first ones are set.
	ReadBatch(room *Batch) (n int, err error)
	WriteTo(b []byte, to netip.AddrPort) (n int, err error) // keeps no b
	LocalAddr() netip.AddrPort
	Close() error
}

// Network opens sockets. Names are resolved by it and by nothing else.
type Network interface {
	ListenPacket(addr netip.AddrPort) (PacketConn, error)
	Listen(addr netip.AddrPort) (net.Listener, error)
	Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	Lookup(ctx context.Context, host string) ([]netip.Addr, error)
}

// Batch is room for packets that are read at once. Make it with NewBatch.
type Batch struct {
	Packets []Packet
	buffers [][]byte       // of Packets, whole
	raw     []ipv6.Message // what System reads into
}

// Packet is one that was read.
type Packet struct {
	Data []byte // until the Batch is read into again; cut to the size of its room
	From netip.AddrPort
}

// NewBatch returns room for some packets of at most size bytes each.
func NewBatch(packets, size int) *Batch {
	b := &Batch{Packets: make([]Packet, packets)}
	for range packets {
		buffer := make([]byte, size)
		b.buffers = append(b.buffers, buffer)
		b.raw = append(b.raw, ipv6.Message{Buffers: [][]byte{buffer}})
	}
	return b
}

// Set makes one packet of what has come.
func (b *Batch) Set(i int, data []byte, from netip.AddrPort) {
	b.Packets[i] = Packet{Data: b.buffers[i][:copy(b.buffers[i], data)], From: from}
}

// System is the operating system's network.
type System struct{}

// socketBuffer is what is asked for a packet socket's receive buffer: a burst
// of 3,000 packets, so that a pause of the collector or the scheduler costs none.
const socketBuffer = 4 << 20

// ListenPacket opens a UDP socket.
func (System) ListenPacket(addr netip.AddrPort) (PacketConn, error) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("listen for packets: %w", err)
	}
	// What the system refuses to give only makes losses likelier.
	_ = c.SetReadBuffer(socketBuffer)
	_ = c.SetWriteBuffer(socketBuffer)
	return udp{c, ipv6.NewPacketConn(c)}, nil
}

// Listen opens a TCP listener.
func (System) Listen(addr netip.AddrPort) (net.Listener, error) {
	return net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
}

// Dial opens a TCP connection.
func (System) Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{KeepAlive: 15 * time.Second}
	return d.DialContext(ctx, "tcp", addr.String())
}

// Lookup returns a name's addresses.
func (System) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}

type udp struct {
	*net.UDPConn
	// many reads several packets in one system call, where the system has one; of
	// sockets for IPv4 as well.
	many *ipv6.PacketConn
}

func (c udp) ReadBatch(room *Batch) (int, error) {
	n, err := c.many.ReadBatch(room.raw, 0)
	for i := range max(n, 0) {
		m := &room.raw[i]
		from, _ := m.Addr.(*net.UDPAddr)
		at := from.AddrPort()
		room.Packets[i] = Packet{Data: room.buffers[i][:m.N], From: netip.AddrPortFrom(at.Addr().Unmap(), at.Port())}
	}
	return max(n, 0), err
}

func (c udp) ReadFrom(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
}

func (c udp) WriteTo(b []byte, to netip.AddrPort) (int, error) { return c.WriteToUDPAddrPort(b, to) }

func (c udp) LocalAddr() netip.AddrPort {
	a := c.UDPConn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// IsClosed tells whether an error says that the socket was closed.
func IsClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
