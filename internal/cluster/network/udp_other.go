//go:build !linux

package network

import (
	"net"
	"net/netip"
)

// fast is nothing where no system call takes several packets.
type fast struct{}

func (fast) init(*net.UDPConn) error { return nil }

// Receive makes a system call for each packet.
func (c *udp) Receive(room *Batch, take func(int) bool) error {
	for {
		n, from, err := c.ReadFrom(room.buffers[0])
		if err != nil {
			return err
		}
		room.Packets[0] = Packet{Data: room.buffers[0][:n], From: from}
		if !take(1) {
			return nil
		}
	}
}

func (c *udp) WriteEach(packets [][]byte, to []netip.AddrPort) (int, error) {
	return c.writeEach(packets, to)
}
