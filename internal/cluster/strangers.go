package cluster

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

// strangers bounds the streams of who has not shown yet that it has a secret, in
// all and from one address: one host alone keeps no member out.
type strangers struct {
	most, perHost int

	mu struct {
		sync.Mutex
		hosts map[netip.Addr]int
		total int
	}
}

func newStrangers(most, perHost int) *strangers {
	s := &strangers{most: most, perHost: perHost}
	s.mu.hosts = make(map[netip.Addr]int)
	return s
}

// enter tells whether one more stream may be open; if so, leave is to be called
// once it has ended or is no stranger's any more.
func (s *strangers) enter(conn net.Conn) (leave func(), ok bool) {
	host := hostOf(conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.total >= s.most || s.mu.hosts[host] >= s.perHost {
		return nil, false
	}
	s.mu.total++
	s.mu.hosts[host]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.mu.total--
		if s.mu.hosts[host]--; s.mu.hosts[host] == 0 {
			delete(s.mu.hosts, host)
		}
	}), true
}

// hostOf returns the address that a stream comes from; of one that has none that
// can be read, the zero one, which all of them share.
func hostOf(conn net.Conn) netip.Addr {
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap()
}

const (
	// maxMemberStreams is how many streams of membership are taken in at a time,
	// and maxMemberStreamsPerHost from one address. memberlist holds what comes
	// until all of it is there, and only then looks whether it was sealed.
	maxMemberStreams        = 64
	maxMemberStreamsPerHost = 16
	// maxMemberStream is the most bytes taken in on one of them: what maxMembers
	// take to describe, twice over.
	maxMemberStream = 8 << 20
)

var errMemberStream = errors.New("cluster: a stream of membership is too long")

// memberStream is a stream of membership that somebody has opened.
type memberStream struct {
	net.Conn
	left  int // bytes that may still come; its reader's
	leave func()
}

func (m *memberStream) Read(b []byte) (int, error) {
	if m.left <= 0 {
		return 0, errMemberStream
	}
	n, err := m.Conn.Read(b[:min(len(b), m.left)])
	m.left -= n
	return n, err
}

func (m *memberStream) Close() error {
	m.leave()
	return m.Conn.Close()
}
