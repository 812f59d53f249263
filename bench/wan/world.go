package wan

import (
	"net/netip"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/simnet"
)

// perCity is how many nodes a city has.
const perCity = 2

// Plan is what is measured.
type Plan struct {
	Cities []City
	Loss   float64
	Rounds int  // purges from each city
	Flap   bool // one city is cut off for two seconds of every four
	Seed   uint64
}

// flapEvery is the period of a city that flaps: half of it is is cut off.
const flapEvery = 4 * time.Second

// between is the pause between two purges: long enough that most have arrived
// everywhere, and no multiple of any timer.
const between = 437 * time.Millisecond

// world is the network and who has heard of what.
type world struct {
	plan  Plan
	net   *simnet.Net
	nodes []place

	mu    sync.Mutex
	heard map[int][]time.Time // by purge and node; zero: not yet
}

// place is where a node is.
type place struct {
	city City
	addr netip.Addr
}

func newWorld(p Plan) *world {
	w := &world{plan: p, heard: make(map[int][]time.Time)}
	at := map[netip.Addr]City{}
	for i := range len(p.Cities) * perCity {
		addr := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i + 1)})
		w.nodes = append(w.nodes, place{p.Cities[i/perCity], addr})
		at[addr] = p.Cities[i/perCity]
	}
	w.net = simnet.New(p.Seed, func(from, to netip.Addr) simnet.Link {
		return simnet.Link{Delay: Delay(at[from], at[to])}
	})
	return w
}

// spoil begins to lose packets.
func (w *world) spoil() {
	at := map[netip.Addr]City{}
	for _, n := range w.nodes {
		at[n.addr] = n.city
	}
	w.net.SetLink(func(from, to netip.Addr) simnet.Link {
		return simnet.Link{Delay: Delay(at[from], at[to]), Loss: w.plan.Loss}
	})
}

// flapping is the city that flaps: one in the middle of the list.
func (w *world) flapping() int { return len(w.plan.Cities) / 2 }

// flap cuts a city off and connects it again, until done is closed.
func (w *world) flap(done <-chan struct{}) {
	var its, others []netip.Addr
	for i, n := range w.nodes {
		if i/perCity == w.flapping() {
			its = append(its, n.addr)
		} else {
			others = append(others, n.addr)
		}
	}
	for cut := true; ; cut = !cut {
		w.net.Partition(its, others, cut)
		select {
		case <-done:
			w.net.Partition(its, others, false)
			return
		case <-time.After(flapEvery / 2):
		}
	}
}

// hear takes note that a purge is in force on a node.
func (w *world) hear(number, node int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.heard[number]
	if all == nil {
		all = make([]time.Time, len(w.nodes))
		w.heard[number] = all
	}
	if all[node].IsZero() {
		all[node] = time.Now()
	}
}

// everywhere tells whether all purges up to a number are in force everywhere.
func (w *world) everywhere(numbers int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := range numbers {
		all := w.heard[n]
		if all == nil {
			return false
		}
		for _, at := range all {
			if at.IsZero() {
				return false
			}
		}
	}
	return true
}

// patience is how long the last purges may take after the last was made.
const patience = 3 * time.Minute

// measure makes purges from every city in turn and returns what came of them.
func (w *world) measure(purge func(number, node int)) Figures {
	w.spoil()
	done := make(chan struct{})
	var flapping sync.WaitGroup
	if w.plan.Flap {
		flapping.Go(func() { w.flap(done) })
	}
	before := w.net.Counters().Packets
	var began []time.Time
	var from []int
	for range w.plan.Rounds {
		for city := range w.plan.Cities {
			if w.plan.Flap && city == w.flapping() {
				continue
			}
			node := city*perCity + len(began)%perCity
			began, from = append(began, time.Now()), append(from, node)
			purge(len(began)-1, node)
			time.Sleep(between)
		}
	}
	packets := w.net.Counters().Packets - before
	close(done)
	flapping.Wait()
	for end := time.Now().Add(patience); !w.everywhere(len(began)) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f := Figures{Plan: w.plan, Packets: float64(packets) / float64(len(began))}
	for number := range began {
		f.add(w, began[number], from[number], w.heard[number])
	}
	return f
}
