package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls here are made as ones that do not wait, because they do not:
// the sockets are non-blocking. A call that may wait is announced to the scheduler,
// and where nothing else runs that wakes up its watchman, a thread that then looks
// every 20 us whether the call is still under way. With that, a packet to a node
// that has little to do costs twice as much.

// fast is what takes several packets in one system call.
type fast struct {
	raw  syscall.RawConn
	ipv6 bool // IPv4 addresses are mapped into IPv6 ones
	in   receiver
	out  sender
}

// message is struct mmsghdr of the system.
type message struct {
	header unix.Msghdr
	length uint32
}

// name is an address as the system has it, of either family.
type name struct{ unix.RawSockaddrInet6 }

func (f *fast) init(c *net.UDPConn) (err error) {
	if f.raw, err = c.SyscallConn(); err != nil {
		return fmt.Errorf("listen for packets: %w", err)
	}
	var domain int
	if e := f.raw.Control(func(fd uintptr) {
		domain, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
	}); e != nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("listen for packets: %w", err)
	}
	f.ipv6 = domain == unix.AF_INET6
	f.out.write = f.out.some
	return nil
}

// receiver is what packets are read with.
type receiver struct {
	room     *Batch
	messages []message
	vectors  []unix.Iovec
	names    []name
	used     int // by the last call: their sizes are to be set again
	zones    map[uint32]string
}

// prepare makes the calls read into room.
func (r *receiver) prepare(room *Batch) {
	if r.room == room {
		return
	}
	n := len(room.buffers)
	r.room, r.used = room, n
	r.messages, r.vectors, r.names = make([]message, n), make([]unix.Iovec, n), make([]name, n)
	for i, b := range room.buffers {
		r.vectors[i].Base = &b[0]
		r.vectors[i].SetLen(len(b))
		h := &r.messages[i].header
		h.Iov, h.Name = &r.vectors[i], (*byte)(unsafe.Pointer(&r.names[i]))
		h.SetIovlen(1)
	}
}

// Receive stays in the read of the socket, so that what has come after a call
// that did not fill the room is told by the poller: no call is needed to find out
// that there is nothing.
func (c *udp) Receive(room *Batch, take func(int) bool) error {
	r := &c.fast.in
	r.prepare(room)
	var failed error
	err := c.fast.raw.Read(func(fd uintptr) (done bool) {
		for {
			n, errno := r.call(fd)
			switch {
			case errno == unix.EAGAIN:
				return false
			case errno == unix.EINTR:
				continue
			case errno != 0:
				failed = os.NewSyscallError("recvmmsg", errno)
				return true
			case !take(n):
				return true
			case n < len(r.messages):
				return false
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// call reads what has come.
func (r *receiver) call(fd uintptr) (int, syscall.Errno) {
	for i := range r.messages[:r.used] {
		r.messages[i].header.Namelen = uint32(unsafe.Sizeof(name{}))
	}
	r.used = 0
	got, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd,
		uintptr(unsafe.Pointer(&r.messages[0])), uintptr(len(r.messages)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	r.used = int(got)
	for i := range r.messages[:r.used] {
		r.room.Packets[i] = Packet{Data: r.room.buffers[i][:r.messages[i].length], From: r.from(&r.names[i])}
	}
	return r.used, 0
}

// from returns the address of a sender.
func (r *receiver) from(n *name) netip.AddrPort {
	port := port(&n.Port)
	if n.Family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(n)).Addr), port)
	}
	at := netip.AddrFrom16(n.Addr).Unmap()
	if n.Scope_id != 0 && at.Is6() {
		at = at.WithZone(r.zone(n.Scope_id))
	}
	return netip.AddrPortFrom(at, port)
}

// maxZones bounds the names of interfaces that are remembered.
const maxZones = 64

func (r *receiver) zone(index uint32) string {
	if zone, known := r.zones[index]; known {
		return zone
	}
	zone := fmt.Sprint(index)
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		zone = i.Name
	}
	if r.zones == nil || len(r.zones) >= maxZones {
		r.zones = make(map[uint32]string)
	}
	r.zones[index] = zone
	return zone
}

// port returns the port of an address, which has it in the network's order.
func port(at *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(at))[:])
}

func setPort(at *uint16, port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(at))[:], port)
}

const (
	// sendTogether is how many packets are sent in one system call, in which the
	// thread cannot be taken away: at some 5 us each, that long nobody waits for.
	sendTogether = 32
	// packetsEach is how many packets go to one receiver before the next: what is
	// sent at one instant at the highest rate that is planned for.
	packetsEach = 8
)

// sender is what packets are sent with, one call of WriteEach at a time.
type sender struct {
	sync.Mutex
	messages [sendTogether]message
	names    [sendTogether]name
	vectors  [packetsEach]unix.Iovec
	left     []message // that are to be sent
	sent     int
	err      error
	write    func(fd uintptr) bool // some
}

// WriteEach sends as many packets as it can in a system call.
func (c *udp) WriteEach(packets [][]byte, to []netip.AddrPort) (sent int, err error) {
	s := &c.fast.out
	s.Lock()
	defer s.Unlock()
	s.sent, s.err = 0, nil
	for len(packets) > 0 && err == nil {
		n := min(len(packets), packetsEach)
		for i, b := range packets[:n] {
			s.vectors[i].Base = unsafe.SliceData(b)
			s.vectors[i].SetLen(len(b))
		}
		err = c.writeTogether(packets[:n], to)
		clear(s.vectors[:])
		packets = packets[n:]
	}
	if err == nil {
		err = s.err
	}
	return s.sent, err
}

// writeTogether sends the packets that the vectors have. The error says that
// nothing more can be sent.
func (c *udp) writeTogether(packets [][]byte, to []netip.AddrPort) error {
	s := &c.fast.out
	n := 0
	for _, at := range to {
		if n+len(packets) > sendTogether {
			if err := c.flush(n); err != nil {
				return err
			}
			n = 0
		}
		length := s.names[n].set(at, c.fast.ipv6)
		if length == 0 {
			// Of another family, or in a zone, for which a name must be looked up.
			k, err := c.writeEach(packets, []netip.AddrPort{at})
			s.sent += k
			s.err = errors.Join(s.err, err)
			continue
		}
		for i := range packets {
			h := &s.messages[n+i].header
			h.Name, h.Namelen, h.Iov = (*byte)(unsafe.Pointer(&s.names[n])), length, &s.vectors[i]
			h.SetIovlen(1)
		}
		n += len(packets)
	}
	return c.flush(n)
}

// flush sends the first messages.
func (c *udp) flush(n int) error {
	s := &c.fast.out
	if s.left = s.messages[:n]; n == 0 {
		return nil
	}
	return c.fast.raw.Write(s.write)
}

// some sends what is left, as far as the socket takes it. What it refuses is left
// out.
func (s *sender) some(fd uintptr) (done bool) {
	for len(s.left) > 0 {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd,
			uintptr(unsafe.Pointer(&s.left[0])), uintptr(len(s.left)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			s.sent += int(n)
			s.left = s.left[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			s.err = os.NewSyscallError("sendmmsg", errno)
			s.left = s.left[1:]
		}
	}
	return true
}

// set makes n an address for a socket of a family and returns its length; 0 if it
// is none.
func (n *name) set(at netip.AddrPort, ipv6 bool) (length uint32) {
	addr := at.Addr()
	switch {
	case !ipv6 && (addr.Is4() || addr.Is4In6()):
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(n))
		*v4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: addr.As4()}
		setPort(&v4.Port, at.Port())
		return unix.SizeofSockaddrInet4
	case ipv6 && addr.IsValid() && addr.Zone() == "":
		*n = name{unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: addr.As16()}}
		setPort(&n.Port, at.Port())
		return unix.SizeofSockaddrInet6
	}
	return 0
}
