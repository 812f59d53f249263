package simnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/network"
)

var (
	here  = netip.MustParseAddr("10.0.0.1")
	there = netip.MustParseAddr("10.0.0.2")
	at    = netip.AddrPortFrom(there, 80)
	_     = network.Network((*Host)(nil))
)

func pairOf(t *testing.T, link Link) (*Net, network.PacketConn, network.PacketConn) {
	t.Helper()
	n := New(1, func(_, _ netip.Addr) Link { return link })
	a, err := n.Host(here).ListenPacket(netip.AddrPortFrom(here, 80))
	if err != nil {
		t.Fatal(err)
	}
	b, err := n.Host(there).ListenPacket(at)
	if err != nil {
		t.Fatal(err)
	}
	return n, a, b
}

func TestPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := pairOf(t, Link{Delay: 30 * time.Millisecond})
		began := time.Now()
		if _, err := a.WriteTo([]byte("x"), at); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 10)
		size, from, err := b.ReadFrom(buf)
		if err != nil || size != 1 || from.Addr() != here || time.Since(began) != 30*time.Millisecond {
			t.Errorf("%d from %v after %v: %v", size, from, time.Since(began), err)
		}
		n.Block([]netip.Addr{here}, []netip.Addr{there}, true)
		_, _ = a.WriteTo([]byte("lost"), at)
		_, _ = b.WriteTo([]byte("back"), a.LocalAddr())
		if size, _, err := a.ReadFrom(buf); err != nil || string(buf[:size]) != "back" {
			t.Errorf("the way back: %q %v", buf[:size], err)
		}
		if c := n.Counters(); c.Lost != 1 || c.Packets != 3 {
			t.Errorf("%+v", c)
		}
		b.Close()
		if _, _, err := b.ReadFrom(buf); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := pairOf(t, Link{Delay: time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.3, Duplicate: 0.2})
		for i := range 1000 {
			_, _ = a.WriteTo([]byte{byte(i)}, at)
		}
		time.Sleep(time.Second)
		got, overtaken, last := 0, 0, byte(0)
		for done := false; !done; {
			select {
			case p := <-b.(*packetConn).queue:
				if got++; p.data[0] < last && last-p.data[0] < 100 {
					overtaken++
				}
				last = p.data[0]
			default:
				done = true
			}
		}
		if c := n.Counters(); c.Lost < 200 || c.Lost > 400 || c.Duplicated < 80 || c.Duplicated > 220 || overtaken == 0 {
			t.Errorf("%+v, %d arrived, %d overtaken", c, got, overtaken)
		}
	})
}

func TestStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(rand.Uint64(), func(_, _ netip.Addr) Link {
			return Link{Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.2}
		})
		l, err := n.Host(there).Listen(at)
		if err != nil {
			t.Fatal(err)
		}
		sent := make([]byte, 3<<20)
		for i := range sent {
			sent[i] = byte(i * 7)
		}
		got := make(chan []byte, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			b, err := io.ReadAll(c)
			if err != nil {
				t.Error(err)
			}
			c.Close()
			got <- b
		}()
		c, err := n.Host(here).Dial(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		for rest := sent; len(rest) > 0; {
			n, err := c.Write(rest[:min(len(rest), 10_000)])
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		c.Close()
		if !bytes.Equal(<-got, sent) {
			t.Error("bytes were lost or came in another order")
		}
		l.Close()
	})
}

func TestStreamsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1, func(_, _ netip.Addr) Link { return Link{Delay: 10 * time.Millisecond} })
		host, _ := n.Host(here), n.Host(there)
		if _, err := host.Dial(t.Context(), at); err == nil {
			t.Error("a dial without a listener succeeded")
		}
		l, err := n.Host(there).Listen(at)
		if err != nil {
			t.Fatal(err)
		}
		c, err := host.Dial(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		n.Partition([]netip.Addr{here}, []netip.Addr{there}, true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := host.Dial(ctx, at); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		// What is written into a partition arrives if it heals in time.
		if _, err := c.Write([]byte("late")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		n.Partition([]netip.Addr{here}, []netip.Addr{there}, false)
		buf := make([]byte, 10)
		if size, err := far.Read(buf); err != nil || string(buf[:size]) != "late" {
			t.Errorf("%q %v", buf[:size], err)
		}
		n.Host(there).Crash()
		if _, err := c.Write([]byte("x")); err == nil {
			t.Error("wrote to a host that had crashed")
		}
	})
}
