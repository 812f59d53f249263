package cluster

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/rescind-edge/rescind/internal/cluster/network"
)

// transport carries memberlist's packets and streams over a Network.
type transport struct {
	c       *Cluster
	conn    network.PacketConn
	listen  net.Listener
	packets chan *memberlist.Packet
	streams chan net.Conn
	inside  *strangers
	closing chan struct{}
	once    sync.Once
	wg      sync.WaitGroup
}

func newTransport(c *Cluster) (*transport, error) {
	t := &transport{
		c: c, packets: make(chan *memberlist.Packet), streams: make(chan net.Conn), closing: make(chan struct{}),
		inside: newStrangers(maxMemberStreams, maxMemberStreamsPerHost),
	}
	var err error
	if t.conn, err = c.cfg.Network.ListenPacket(c.cfg.Bind); err != nil {
		return nil, err
	}
	if t.listen, err = c.cfg.Network.Listen(c.cfg.Bind); err != nil {
		t.conn.Close()
		return nil, err
	}
	t.wg.Go(t.readPackets)
	t.wg.Go(t.acceptStreams)
	return t, nil
}

// maxMemberPacket is the most bytes of a packet of memberlist's.
const maxMemberPacket = 64 << 10

func (t *transport) readPackets() {
	buf := make([]byte, maxMemberPacket)
	for {
		n, from, err := t.conn.ReadFrom(buf)
		if err != nil {
			if network.IsClosed(err) {
				return
			}
			continue // an ICMP message about an earlier packet of ours
		}
		if n == 0 {
			continue
		}
		p := &memberlist.Packet{
			Buf: append([]byte(nil), buf[:n]...), From: net.UDPAddrFromAddrPort(from), Timestamp: time.Now(),
		}
		select {
		case t.packets <- p:
		case <-t.closing:
			return
		}
	}
}

func (t *transport) acceptStreams() {
	for {
		conn, err := t.listen.Accept()
		if err != nil {
			if network.IsClosed(err) {
				return
			}
			select {
			case <-time.After(100 * time.Millisecond): // out of file descriptors, for example
				continue
			case <-t.closing:
				return
			}
		}
		leave, ok := t.inside.enter(conn)
		if !ok {
			t.c.stats.streamsRefused.Add(1)
			conn.Close()
			continue
		}
		in := &memberStream{Conn: conn, left: maxMemberStream, leave: leave}
		select {
		case t.streams <- in:
		case <-t.closing:
			in.Close()
			return
		}
	}
}

// FinalAdvertiseAddr is memberlist's: the address that others are told.
func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	a := t.c.cfg.Advertise
	return a.Addr().AsSlice(), int(a.Port()), nil
}

// WriteTo is memberlist's: send a packet.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// WriteToAddress is memberlist's: send a packet.
func (t *transport) WriteToAddress(b []byte, to memberlist.Address) (time.Time, error) {
	addr, err := netip.ParseAddrPort(to.Addr)
	if err != nil {
		return time.Time{}, fmt.Errorf("cluster: a member's address: %w", err)
	}
	_, err = t.conn.WriteTo(b, addr)
	return time.Now(), err
}

// PacketCh is memberlist's: where packets come.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// DialTimeout is memberlist's: open a stream.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// DialAddressTimeout is memberlist's: open a stream.
func (t *transport) DialAddressTimeout(to memberlist.Address, timeout time.Duration) (net.Conn, error) {
	addr, err := netip.ParseAddrPort(to.Addr)
	if err != nil {
		return nil, fmt.Errorf("cluster: a member's address: %w", err)
	}
	ctx, cancel := context.WithTimeout(t.c.ctx, timeout)
	defer cancel()
	return t.c.cfg.Network.Dial(ctx, addr)
}

// StreamCh is memberlist's: where streams come.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// Shutdown is memberlist's: close the sockets.
func (t *transport) Shutdown() error {
	var err error
	t.once.Do(func() {
		close(t.closing)
		err = t.conn.Close()
		if e := t.listen.Close(); err == nil {
			err = e
		}
		t.wg.Wait()
	})
	return err
}
