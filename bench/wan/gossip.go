package wan

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/rescind-edge/rescind/internal/cluster/network"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/sim"
)

// purgeBytes is about what an entry of one key takes on the wire.
const purgeBytes = 90

// Gossip measures memberlist's own broadcasts, with its settings for a local
// network, which gossip more often than those for a wide one. It is to be called
// in a bubble.
func Gossip(p Plan) (Figures, error) {
	w := newWorld(p)
	var lists []*memberlist.Memberlist
	var gossips []*gossiping
	defer func() {
		for _, l := range lists {
			_ = l.Shutdown() // nothing is measured any more
		}
		time.Sleep(time.Minute)
	}()
	for i, n := range w.nodes {
		g := &gossiping{world: w, node: i}
		cfg := memberlist.DefaultLANConfig()
		cfg.Name, cfg.Delegate, cfg.Logger = fmt.Sprint(n.city.Name, i), g, log.New(io.Discard, "", 0)
		cfg.BindAddr, cfg.BindPort = n.addr.String(), sim.Port
		tr, err := newTransport(w.net.Host(n.addr))
		if err != nil {
			return Figures{}, err
		}
		cfg.Transport = tr
		l, err := memberlist.Create(cfg)
		if err != nil {
			return Figures{}, err
		}
		g.queue = &memberlist.TransmitLimitedQueue{NumNodes: l.NumMembers, RetransmitMult: cfg.RetransmitMult}
		lists, gossips = append(lists, l), append(gossips, g)
		if i > 0 {
			if _, err := l.Join([]string{sim.Address(w.net.Host(w.nodes[0].addr))}); err != nil {
				return Figures{}, err
			}
		}
	}
	all := func() bool {
		for _, l := range lists {
			if l.NumMembers() < len(lists) {
				return false
			}
		}
		return true
	}
	if !wait(5*time.Minute, all) {
		return Figures{}, errNotReady
	}
	return w.measure(func(number, node int) {
		msg := make([]byte, purgeBytes)
		binary.BigEndian.PutUint64(msg, uint64(number))
		gossips[node].NotifyMsg(msg)
	}), nil
}

// gossiping passes on what it hears for the first time.
type gossiping struct {
	world *world
	node  int
	queue *memberlist.TransmitLimitedQueue
	mu    sync.Mutex
	known map[uint64]bool
}

func (g *gossiping) NotifyMsg(msg []byte) {
	number := binary.BigEndian.Uint64(msg)
	g.mu.Lock()
	again := g.known[number]
	if g.known == nil {
		g.known = make(map[uint64]bool)
	}
	g.known[number] = true
	g.mu.Unlock()
	if again {
		return
	}
	g.world.hear(int(number), g.node)
	g.queue.QueueBroadcast(rumour(append([]byte(nil), msg...)))
}

func (g *gossiping) GetBroadcasts(overhead, limit int) [][]byte {
	if g.queue == nil {
		return nil // not quite made yet
	}
	return g.queue.GetBroadcasts(overhead, limit)
}

func (*gossiping) NodeMeta(int) []byte           { return nil }
func (*gossiping) LocalState(bool) []byte        { return nil }
func (*gossiping) MergeRemoteState([]byte, bool) {}

// rumour is one broadcast.
type rumour []byte

func (rumour) Invalidates(memberlist.Broadcast) bool { return false }
func (r rumour) Message() []byte                     { return r }
func (rumour) Finished()                             {}

// transport carries memberlist over the simulated network.
type transport struct {
	host    *simnet.Host
	conn    network.PacketConn
	listen  net.Listener
	packets chan *memberlist.Packet
	streams chan net.Conn
	closing chan struct{}
	wg      sync.WaitGroup
}

func newTransport(host *simnet.Host) (*transport, error) {
	at := netip.AddrPortFrom(host.Addr(), sim.Port)
	conn, err := host.ListenPacket(at)
	if err != nil {
		return nil, err
	}
	listen, err := host.Listen(at)
	if err != nil {
		return nil, err
	}
	t := &transport{
		host: host, conn: conn, listen: listen, packets: make(chan *memberlist.Packet),
		streams: make(chan net.Conn), closing: make(chan struct{}),
	}
	t.wg.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			p := &memberlist.Packet{Buf: append([]byte(nil), buf[:n]...), From: net.UDPAddrFromAddrPort(from), Timestamp: time.Now()}
			select {
			case t.packets <- p:
			case <-t.closing:
				return
			}
		}
	})
	t.wg.Go(func() {
		for {
			c, err := listen.Accept()
			if err != nil {
				return
			}
			select {
			case t.streams <- c:
			case <-t.closing:
				c.Close()
				return
			}
		}
	})
	return t, nil
}

func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return t.host.Addr().AsSlice(), sim.Port, nil
}

func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	to, err := netip.ParseAddrPort(addr)
	if err == nil {
		_, err = t.conn.WriteTo(b, to)
	}
	return time.Now(), err
}

func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return t.host.Dial(ctx, to)
}

func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }
func (t *transport) StreamCh() <-chan net.Conn           { return t.streams }

func (t *transport) Shutdown() error {
	close(t.closing)
	t.conn.Close()
	t.listen.Close()
	t.wg.Wait()
	return nil
}
