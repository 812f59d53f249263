package network_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/network"
)

// patience is how long a packet may take on loopback on a machine that is busy.
const patience = 10 * time.Second

func listen(t *testing.T, address string) network.PacketConn {
	t.Helper()
	c, err := network.System{}.ListenPacket(netip.MustParseAddrPort(address))
	if err != nil && strings.HasPrefix(address, "[") {
		t.Skipf("no IPv6 here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// arrival is a packet that was received.
type arrival struct {
	data string
	from netip.AddrPort
}

// collect receives until the socket is closed.
func collect(t *testing.T, c network.PacketConn, packets int) <-chan arrival {
	got, ended := make(chan arrival, 4096), make(chan error, 1)
	go func() {
		room := network.NewBatch(packets, 100)
		ended <- c.Receive(room, func(n int) bool {
			for _, p := range room.Packets[:n] {
				got <- arrival{string(p.Data), p.From}
			}
			return true
		})
	}()
	t.Cleanup(func() {
		c.Close()
		if err := <-ended; !network.IsClosed(err) {
			t.Errorf("receiving ended with %v, not because the socket was closed", err)
		}
	})
	return got
}

func next(t *testing.T, got <-chan arrival) arrival {
	t.Helper()
	select {
	case a := <-got:
		return a
	case <-time.After(patience):
		t.Fatal("a packet did not come")
	}
	return arrival{}
}

// loopback is the address of this machine in whichever family a socket listens.
func loopback(c network.PacketConn, ipv6 bool) netip.AddrPort {
	if ipv6 {
		return netip.AddrPortFrom(netip.IPv6Loopback(), c.LocalAddr().Port())
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), c.LocalAddr().Port())
}

// Packets come with what was sent and from where, one at a time or many, whatever
// the families of the sockets.
func TestPacketsArrive(t *testing.T) {
	for _, test := range []struct {
		from, to string
		ipv6     bool
	}{
		{"127.0.0.1:0", "127.0.0.1:0", false},
		{"[::1]:0", "[::1]:0", true},
		{"[::]:0", "127.0.0.1:0", false},
		{"127.0.0.1:0", "[::]:0", false},
		{"[::]:0", "[::]:0", true},
	} {
		t.Run(test.from+" to "+test.to, func(t *testing.T) {
			from, to := listen(t, test.from), listen(t, test.to)
			got := collect(t, to, 4)
			at := loopback(to, test.ipv6)
			for i := range 100 {
				want := bytes.Repeat([]byte{byte(i)}, i)
				sent, err := from.WriteEach([][]byte{want}, []netip.AddrPort{at})
				if sent != 1 || err != nil {
					t.Fatalf("sent to %d: %v", sent, err)
				}
				if a := next(t, got); a.data != string(want) || a.from != loopback(from, test.ipv6) {
					t.Fatalf("%q from %v, not %q from %v", a.data, a.from, want, loopback(from, test.ipv6))
				}
			}
			// Many that come while nobody reads, and then one more.
			if sent, err := from.WriteEach([][]byte{[]byte("all")}, repeat(at, 70)); sent != 70 || err != nil {
				t.Fatalf("sent to %d: %v", sent, err)
			}
			for i := range 70 {
				if a := next(t, got); a.data != "all" {
					t.Fatalf("packet %d is %q", i, a.data)
				}
			}
			if _, err := from.WriteTo([]byte("last"), at); err != nil {
				t.Fatal(err)
			}
			if a := next(t, got); a.data != "last" {
				t.Fatalf("%q", a.data)
			}
		})
	}
}

func repeat(at netip.AddrPort, n int) (all []netip.AddrPort) {
	for range n {
		all = append(all, at)
	}
	return all
}

// Each receiver gets the packet once, and one that cannot be reached keeps it from
// none.
func TestWriteEach(t *testing.T) {
	from := listen(t, "127.0.0.1:0")
	var to []netip.AddrPort
	var all []<-chan arrival
	for i := range 50 {
		c := listen(t, "127.0.0.1:0")
		all = append(all, collect(t, c, 4))
		to = append(to, c.LocalAddr())
		if i == 20 {
			to = append(to, netip.MustParseAddrPort("[2001:db8::1]:1")) // this socket has no way there
		}
	}
	for i := range 3 {
		want := fmt.Sprint("number ", i)
		sent, err := from.WriteEach([][]byte{[]byte(want)}, to)
		if sent != 50 || err == nil {
			t.Errorf("sent to %d: %v", sent, err)
		}
		for _, got := range all {
			if a := next(t, got); a.data != want || a.from != from.LocalAddr() {
				t.Fatalf("%q from %v", a.data, a.from)
			}
		}
	}
	if sent, err := from.WriteEach([][]byte{[]byte("x")}, nil); sent != 0 || err != nil {
		t.Errorf("to nobody: %d, %v", sent, err)
	}
	from.Close()
	if sent, err := from.WriteEach([][]byte{[]byte("x")}, to[:2]); sent != 0 || !network.IsClosed(err) {
		t.Errorf("after Close: %d, %v", sent, err)
	}
}

// Several packets come to each receiver, in their order, also where they are more
// than fit into a system call.
func TestWriteSeveralToEach(t *testing.T) {
	from := listen(t, "127.0.0.1:0")
	var to []netip.AddrPort
	var all []<-chan arrival
	for range 5 {
		c := listen(t, "127.0.0.1:0")
		all = append(all, collect(t, c, 4))
		to = append(to, c.LocalAddr())
	}
	for _, n := range []int{0, 1, 2, 7, 8, 9, 33} {
		var packets [][]byte
		for i := range n {
			packets = append(packets, fmt.Appendf(nil, "%d of %d", i, n)[:min(i, 6)]) // the first is empty
		}
		if sent, err := from.WriteEach(packets, to); sent != n*len(to) || err != nil {
			t.Errorf("sent %d of %d to %d: %v", sent, n, len(to), err)
		}
		for _, got := range all {
			for i := range packets {
				if a := next(t, got); a.data != string(packets[i]) {
					t.Fatalf("packet %d of %d is %q, not %q", i, n, a.data, packets[i])
				}
			}
		}
	}
}

// A packet longer than the room is cut to it, and the next one is whole.
func TestPacketLongerThanTheRoom(t *testing.T) {
	from, to := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	got := collect(t, to, 2)
	for _, size := range []int{150, 60, 101, 100, 1} {
		if _, err := from.WriteTo(bytes.Repeat([]byte("x"), size), to.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		if a := next(t, got); len(a.data) != min(size, 100) {
			t.Errorf("%d bytes of %d", len(a.data), size)
		}
	}
}

// Who has had enough goes, and the socket can be received from again.
func TestReceiveEnds(t *testing.T) {
	from, to := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	for i := range 3 {
		if _, err := from.WriteTo([]byte{byte(i)}, to.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		room, calls := network.NewBatch(3, 100), 0
		err := to.Receive(room, func(n int) bool {
			if calls++; n != 1 || room.Packets[0].Data[0] != byte(i) {
				t.Errorf("%d packets, the first %v", n, room.Packets[0].Data)
			}
			return false
		})
		if err != nil || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
	}
}

func TestAlarmOfTheSystem(t *testing.T) {
	a, err := network.System{}.Alarm()
	if err != nil {
		t.Fatal(err)
	}
	rang := make(chan time.Time)
	go func() {
		defer close(rang)
		for a.Wait() == nil {
			rang <- time.Now()
		}
	}()
	for range 3 {
		for _, in := range []time.Duration{0, 1, 20 * time.Millisecond} {
			a.Set(time.Hour)
			start := time.Now()
			a.Set(in)
			select {
			case at := <-rang:
				if took := at.Sub(start); took < in {
					t.Errorf("rang after %v, not %v", took, in)
				}
			case <-time.After(patience):
				t.Fatalf("does not ring after %v", in)
			}
		}
	}
	a.Set(time.Hour)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	select {
	case _, more := <-rang:
		if more {
			t.Error("rang when it was closed")
		}
	case <-time.After(patience):
		t.Fatal("Wait does not return when the alarm is closed")
	}
	a.Set(0) // nothing happens, and no other file is touched
	if err := a.Wait(); !network.IsClosed(err) {
		t.Errorf("%v", err)
	}
}

// What is set last counts, and an alarm that has rung can be taken back.
func TestAlarmOfTheRuntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := network.NewAlarm()
		start := time.Now()
		wait := func(want time.Duration) {
			t.Helper()
			if err := a.Wait(); err != nil || time.Since(start) != want {
				t.Errorf("%v after %v, not %v", err, time.Since(start), want)
			}
		}
		a.Set(time.Second)
		a.Set(2 * time.Second)
		wait(2 * time.Second)
		a.Set(time.Second)
		time.Sleep(2 * time.Second) // it has rung
		a.Set(time.Second)
		wait(5 * time.Second)
		a.Set(time.Second)
		time.Sleep(2 * time.Second)
		a.Set(-1)
		time.AfterFunc(time.Minute, func() { a.Close() })
		if err := a.Wait(); !network.IsClosed(err) || time.Since(start) != 67*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}
