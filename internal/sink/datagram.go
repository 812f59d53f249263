package sink

import (
	"context"
	"fmt"
	"net"
	"time"
)

// Bounds of what a collector, or the way to it, may take.
const (
	dialTimeout  = 10 * time.Second // several round trips and lost packets, and a name to look up
	writeTimeout = 10 * time.Second // for at most writeBytes: a collector that takes nothing so long is gone
	writeBytes   = 64 << 10
)

// datagrams sends each message in a datagram of its own (RFC 5426). Nobody
// confirms them, and none is sent again: those who cannot lose lines use TCP.
type datagrams struct {
	address string
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	conn    net.Conn // nil: to be dialled
}

func newDatagrams(t Target, c *Config) *datagrams {
	return &datagrams{address: t.address, dial: c.Dial}
}

// write loses what the system does not take: messages longer than a datagram,
// and those for which nobody listens where the network says so.
func (d *datagrams) write(ctx context.Context, b *batch) (delivered int, err error) {
	if err := d.connect(ctx); err != nil {
		return 0, err
	}
	defer interruptible(ctx, d.conn)()
	for i := range b.lines() {
		if _, failed := d.conn.Write(b.data[b.start(i):b.ends[i]]); failed != nil {
			err = failed
			continue
		}
		delivered++
	}
	if err != nil {
		d.close() // the next batch looks the name up again
	}
	return delivered, err
}

func (d *datagrams) connect(ctx context.Context) error {
	if d.conn != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := d.dial(ctx, "udp", d.address)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	d.conn = conn
	return nil
}

func (d *datagrams) reopen() error { return d.close() }

func (d *datagrams) close() error {
	if d.conn == nil {
		return nil
	}
	conn := d.conn
	d.conn = nil
	return conn.Close()
}
