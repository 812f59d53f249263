package wan

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/sim"
)

// bestPlaced returns the city from which the longest way to any other is the
// shortest.
func bestPlaced(cities []City) int {
	best, shortest := 0, time.Duration(1<<62)
	for i, a := range cities {
		var longest time.Duration
		for _, b := range cities {
			longest = max(longest, Delay(a, b))
		}
		if longest < shortest {
			best, shortest = i, longest
		}
	}
	return best
}

// Hub measures a star: every node keeps a stream to a hub in the city that is
// placed best, sends it what it purges, and the hub passes that on by the others'
// streams. It is to be called in a bubble.
func Hub(p Plan) (Figures, error) {
	w := newWorld(p)
	hub := bestPlaced(p.Cities) * perCity
	host := w.net.Host(w.nodes[hub].addr)
	listen, err := host.Listen(netip.AddrPortFrom(host.Addr(), sim.Port))
	if err != nil {
		return Figures{}, err
	}
	s := &star{world: w, hub: hub, lines: make([]net.Conn, len(w.nodes))}
	defer s.close(listen)
	s.doing.Go(func() { s.accept(listen) })
	for i, n := range w.nodes {
		if i == hub {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		line, err := w.net.Host(n.addr).Dial(ctx, netip.AddrPortFrom(host.Addr(), sim.Port))
		cancel()
		if err != nil {
			return Figures{}, err
		}
		s.lines[i] = line
		s.doing.Go(func() { s.read(line, i, false) })
	}
	time.Sleep(time.Second)
	return w.measure(s.purge), nil
}

// star is the hub and the lines to it.
type star struct {
	world *world
	hub   int
	lines []net.Conn // by node, its end
	doing sync.WaitGroup
	mu    sync.Mutex
	out   []net.Conn // the hub's ends
}

func (s *star) accept(listen net.Listener) {
	for {
		c, err := listen.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.out = append(s.out, c)
		s.mu.Unlock()
		s.doing.Go(func() { s.read(c, s.hub, true) })
	}
}

// read takes purges from a line; the hub passes them on.
func (s *star) read(from net.Conn, node int, pass bool) {
	msg := make([]byte, purgeBytes)
	for {
		if _, err := io.ReadFull(from, msg); err != nil {
			return
		}
		s.world.hear(int(binary.BigEndian.Uint64(msg)), node)
		if pass {
			s.pass(msg)
		}
	}
}

func (s *star) pass(msg []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.out {
		_, _ = c.Write(msg) // a line that is down counts as missing
	}
}

func (s *star) purge(number, node int) {
	msg := make([]byte, purgeBytes)
	binary.BigEndian.PutUint64(msg, uint64(number))
	s.world.hear(number, node)
	if node == s.hub {
		s.pass(msg)
		return
	}
	_, _ = s.lines[node].Write(msg)
}

func (s *star) close(listen net.Listener) {
	listen.Close()
	for _, c := range s.lines {
		if c != nil {
			c.Close()
		}
	}
	s.mu.Lock()
	for _, c := range s.out {
		c.Close()
	}
	s.mu.Unlock()
	s.doing.Wait()
}
