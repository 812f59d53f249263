package sim

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/simnet"
)

// anyDisk returns a disk, or none for one node in five.
func (w *World) anyDisk() *Disk {
	if w.rng.IntN(5) == 0 {
		return nil
	}
	d := NewDisk()
	d.SetSync(randomTime(w.rng, 0, 20*time.Millisecond))
	d.lies.Store(w.cfg.Liar)
	return d
}

// add makes a host without starting its node.
func (w *World) add(disk *Disk) *host {
	i := len(w.all())
	h := &host{world: w, Machine: &Machine{
		Name: fmt.Sprintf("n%d", i), POP: w.popOf(i),
		Host: w.net.Host(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})),
		Disk: disk, Clock: &Clock{}, Began: w.began, Settings: w.base, Random: w.rng.Uint64(),
	}}
	for _, o := range w.all() {
		way := [2]netip.Addr{h.Host.Addr(), o.Host.Addr()}
		w.delays[way] = randomTime(w.rng, time.Millisecond, 120*time.Millisecond)
		w.delays[[2]netip.Addr{way[1], way[0]}] = w.delays[way] + randomTime(w.rng, 0, 20*time.Millisecond)
	}
	w.mu.Lock()
	w.mu.hosts = append(w.mu.hosts, h)
	w.mu.Unlock()
	first := w.all()[0]
	for _, o := range w.all() {
		if w.symm {
			o.Join = append(o.Join, Address(h.Host))
		}
	}
	switch {
	case w.symm:
		h.Join = slices.Clone(first.Join)
	case h != first:
		h.Join = []string{Address(first.Host)}
	}
	return h
}

// popOf returns the POP of a host by its number.
func (w *World) popOf(i int) string {
	switch {
	case w.cfg.Nodes > 0:
		return fmt.Sprintf("pop%d", i%4)
	case w.relayed:
		return fmt.Sprintf("pop%d", min(i/2, 1)) // two nodes, and all others
	}
	return fmt.Sprintf("pop%d", i%3)
}

// addresses returns what a host joins by once the cluster exists: all others, as
// whoever runs it would see to.
func (w *World) addresses(of *host) (all []string) {
	for _, h := range w.all() {
		if h != of && !h.gone {
			all = append(all, Address(h.Host))
		}
	}
	return all
}

// connect makes the network what it is to be from now on.
func (w *World) connect() {
	delays, base := make(map[[2]netip.Addr]time.Duration, len(w.delays)), w.link
	for way, d := range w.delays {
		delays[way] = d
	}
	w.net.SetLink(func(from, to netip.Addr) simnet.Link {
		l := base
		l.Delay = delays[[2]netip.Addr{from, to}]
		return l
	})
}
