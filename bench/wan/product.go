package wan

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/sim"
)

// errNotReady is returned if the nodes do not find each other.
var errNotReady = errors.New("the nodes did not find each other")

// Product measures the product itself. It is to be called in a bubble.
func Product(p Plan) (Figures, error) {
	w := newWorld(p)
	e := &ear{world: w, numbers: make(map[purge.ID]int)}
	var machines []*sim.Machine
	began := time.Now()
	for i, n := range w.nodes {
		m := &sim.Machine{
			Name: fmt.Sprintf("%s-%d", n.city.Name, i%perCity), POP: n.city.Name, Host: w.net.Host(n.addr),
			Disk: sim.NewDisk(), Clock: &sim.Clock{}, Began: began, Random: p.Seed + uint64(i),
		}
		m.Settings.Engine = func(engine control.Engine) control.Engine { return &hearing{engine, e, i} }
		if i > 0 {
			m.Join = []string{sim.Address(machines[0].Host)}
		}
		machines = append(machines, m)
		if err := m.Start(); err != nil {
			return Figures{}, err
		}
	}
	defer func() {
		var all sync.WaitGroup
		for _, m := range machines {
			all.Go(func() { _ = m.Stop() }) // nothing is measured any more
		}
		all.Wait()
		time.Sleep(time.Minute) // memberlist's timers
	}()
	if !wait(5*time.Minute, func() bool { return ready(machines) }) {
		return Figures{}, errNotReady
	}
	return w.measure(func(number, node int) { e.purge(machines[node].Node(), number) }), nil
}

func ready(machines []*sim.Machine) bool {
	for _, m := range machines {
		if !m.Node().Cluster.Ready() || m.Node().Cluster.Health().Roster < len(machines) {
			return false
		}
	}
	return true
}

func wait(limit time.Duration, cond func() bool) bool {
	for end := time.Now().Add(limit); !cond(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// ear tells purges apart by when they take effect where they were made, which is
// before anything else knows of them.
type ear struct {
	world   *world
	mu      sync.Mutex
	numbers map[purge.ID]int
	next    int
}

func (e *ear) purge(n *sim.Node, number int) {
	key, err := purge.Key(fmt.Sprint("key-", number))
	if err != nil {
		panic(err) // the name is a constant
	}
	e.mu.Lock()
	e.next = number
	e.mu.Unlock()
	r := control.Request{Service: sim.Service, Selectors: []purge.Selector{key}, Dialect: "wan"}
	if _, err := n.Control.Purge(sim.Local(), r); err != nil {
		panic(fmt.Sprint("a purge is refused: ", err)) // the figures would be worth nothing
	}
}

// hearing stands in front of a node's engine.
type hearing struct {
	control.Engine
	ear  *ear
	node int
}

func (h *hearing) Apply(now int64, p purge.Purge) purge.Applied {
	done := h.Engine.Apply(now, p)
	h.ear.mu.Lock()
	number, known := h.ear.numbers[p.ID]
	if !known {
		number = h.ear.next
		h.ear.numbers[p.ID] = number
	}
	h.ear.mu.Unlock()
	h.ear.world.hear(number, h.node)
	return done
}
