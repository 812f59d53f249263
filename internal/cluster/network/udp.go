package network

import (
	"net"
	"net/netip"
)

// udp is a socket of the operating system.
type udp struct {
	*net.UDPConn
	fast fast // several packets in one system call, where the system has one
}

func newUDP(c *net.UDPConn) (PacketConn, error) {
	u := &udp{UDPConn: c}
	if err := u.fast.init(c); err != nil {
		c.Close()
		return nil, err
	}
	return u, nil
}

func (c *udp) ReadFrom(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	return n, unmapped(from), err
}

func (c *udp) WriteTo(b []byte, to netip.AddrPort) (int, error) { return c.WriteToUDPAddrPort(b, to) }

func (c *udp) LocalAddr() netip.AddrPort {
	return unmapped(c.UDPConn.LocalAddr().(*net.UDPAddr).AddrPort())
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// writeEach is WriteEach with a system call for each packet.
func (c *udp) writeEach(packets [][]byte, to []netip.AddrPort) (sent int, err error) {
	for _, at := range to {
		for _, b := range packets {
			if _, e := c.WriteTo(b, at); e != nil {
				err = e
				continue
			}
			sent++
		}
	}
	return sent, err
}
