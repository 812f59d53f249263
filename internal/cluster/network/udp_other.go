//go:build !linux

package network

import (
	"net"
	"net/netip"
)

// fast is nothing where no system call takes several packets.
type fast struct{}

func (fast) init(*net.UDPConn) error { return nil }

func (c *udp) Receive(room *Batch, take func(int) bool) error { return c.receiveEach(room, take) }

func (c *udp) WriteEach(packets [][]byte, to []netip.AddrPort) (int, error) {
	return c.writeEach(packets, to)
}
