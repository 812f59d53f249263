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
)

// PacketConn sends and receives packets. Methods may be called by several
// goroutines, but Receive by one; Close makes who waits in ReadFrom or Receive
// return an error that wraps net.ErrClosed.
type PacketConn interface {
	ReadFrom(b []byte) (n int, from netip.AddrPort, err error)
	// Receive waits for packets, puts those that have come into room, as far as
	// they fit, and calls take with their number: Data and From of the first ones
	// are set. It goes on until take returns false, which gives nil, or something
	// fails. Close returns after take has.
	Receive(room *Batch, take func(n int) (more bool)) error
	WriteTo(b []byte, to netip.AddrPort) (n int, err error) // keeps no b
	// WriteEach sends packets to each of several, all of them to one receiver before
	// the next has any, so that who sleeps is woken up once. It returns how many the
	// system has taken, of all receivers together. The error is that of the last of the
	// others. It keeps neither packets nor to.
	WriteEach(packets [][]byte, to []netip.AddrPort) (sent int, err error)
	LocalAddr() netip.AddrPort
	Close() error
}

// Network opens sockets, and makes alarms that fit to them. Names are resolved by
// it and by nothing else.
type Network interface {
	ListenPacket(addr netip.AddrPort) (PacketConn, error)
	Listen(addr netip.AddrPort) (net.Listener, error)
	Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	Lookup(ctx context.Context, host string) ([]netip.Addr, error)
	Alarm() (Alarm, error)
}

// Batch is room for packets that are read at once. Make it with NewBatch.
type Batch struct {
	Packets []Packet
	buffers [][]byte // of Packets, whole
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
		b.buffers = append(b.buffers, make([]byte, size))
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
	return newUDP(c)
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

// IsClosed tells whether an error says that the socket was closed.
func IsClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
