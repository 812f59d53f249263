package simnet

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Link is how packets get from one host to another. The zero Link is perfect.
type Link struct {
	Delay     time.Duration // one way
	Jitter    time.Duration // up to this much is added, so packets overtake each other
	Loss      float64       // of packets, 0 to 1; streams are delayed instead
	Duplicate float64       // of packets
}

// Net is a network. Its methods may be called by several goroutines.
type Net struct {
	mu struct {
		sync.Mutex
		rng     *rand.Rand
		link    func(from, to netip.Addr) Link
		hosts   map[netip.Addr]*Host
		names   map[string][]netip.Addr
		blocked map[[2]netip.Addr]bool
		count   Counters
	}
}

// Counters count what the network has carried since its start.
type Counters struct {
	Packets    uint64 // sent
	Bytes      uint64 // in packets sent
	Lost       uint64 // by chance or partition
	Overrun    uint64 // because a host did not read
	Duplicated uint64
	Streams    uint64 // dialled
	StreamData uint64 // bytes in streams
}

// New returns a network whose chances come from a seed and whose links are as
// link says, which must not call the network.
func New(seed uint64, link func(from, to netip.Addr) Link) *Net {
	n := &Net{}
	n.mu.rng = rand.New(rand.NewPCG(seed, 1))
	n.mu.link = link
	n.mu.hosts = make(map[netip.Addr]*Host)
	n.mu.names = make(map[string][]netip.Addr)
	n.mu.blocked = make(map[[2]netip.Addr]bool)
	return n
}

// SetLink changes all links.
func (n *Net) SetLink(link func(from, to netip.Addr) Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.link = link
}

// Host returns the host at an address, new if there is none.
func (n *Net) Host(addr netip.Addr) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.mu.hosts[addr]
	if h == nil {
		h = newHost(n, addr)
		n.mu.hosts[addr] = h
	}
	return h
}

// Name gives addresses a name.
func (n *Net) Name(name string, addrs ...netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.names[name] = addrs
}

// Block cuts the way from some hosts to others, or restores it. The way back is
// another.
func (n *Net) Block(from, to []netip.Addr, blocked bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range from {
		for _, b := range to {
			if a != b {
				n.mu.blocked[[2]netip.Addr{a, b}] = blocked
			}
		}
	}
}

// Partition cuts both ways between two groups, or restores them.
func (n *Net) Partition(a, b []netip.Addr, blocked bool) {
	n.Block(a, b, blocked)
	n.Block(b, a, blocked)
}

// Counters returns the present counts.
func (n *Net) Counters() Counters {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.count
}

// route returns the host at an address and when each copy of a packet arrives;
// none if it is lost.
func (n *Net) route(from, to netip.Addr, size int) (*Host, []time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.count.Packets++
	n.mu.count.Bytes += uint64(size)
	link, host := n.mu.link(from, to), n.mu.hosts[to]
	if host == nil || n.mu.blocked[[2]netip.Addr{from, to}] || n.mu.rng.Float64() < link.Loss {
		n.mu.count.Lost++
		return nil, nil
	}
	times := []time.Duration{n.delayLocked(link, host)}
	if link.Duplicate > 0 && n.mu.rng.Float64() < link.Duplicate {
		n.mu.count.Duplicated++
		times = append(times, n.delayLocked(link, host)+time.Millisecond)
	}
	return host, times
}

func (n *Net) delayLocked(link Link, to *Host) time.Duration {
	d := link.Delay + time.Duration(to.slow.Load())
	if link.Jitter > 0 {
		d += time.Duration(n.mu.rng.Int64N(int64(link.Jitter)))
	}
	return d
}

// segment returns how long some bytes of a stream take, lost segments sent
// again, and whether the way is open.
func (n *Net) segment(from, to netip.Addr, size int) (delay time.Duration, open bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.count.StreamData += uint64(size)
	link, host := n.mu.link(from, to), n.mu.hosts[to]
	if host == nil || n.mu.blocked[[2]netip.Addr{from, to}] {
		return 0, false
	}
	delay = n.delayLocked(link, host)
	for lost := 0; lost < 4 && n.mu.rng.Float64() < link.Loss; lost++ {
		delay += 2*link.Delay + minRetry<<lost
	}
	return delay, true
}

// minRetry is after how long a stream sends a lost segment again, at least.
const minRetry = 200 * time.Millisecond

func (n *Net) overrun() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.count.Overrun++
}
