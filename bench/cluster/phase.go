package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// load is what is asked of the nodes.
type load struct {
	rate      int  // purges a second
	accepting int  // nodes that get them
	hits      bool // one client for a stored page, as fast as it goes, at the last node
}

// figures are what came of a load.
type figures struct {
	took    time.Duration
	purges  uint64
	caught  time.Duration // after the last purge until every node had applied all
	cpu     []time.Duration
	hits    uint64
	packets uint64 // UDP, of the whole machine
}

// catchUp is how long the nodes may take to apply the last purges.
const catchUp = time.Minute

// phase puts a load on the nodes and waits until all have applied all.
func (s *site) phase(ctx context.Context, long time.Duration, l load) (f figures, err error) {
	start := make([]uint64, len(s.nodes))
	for i, n := range s.nodes {
		if start[i], err = n.applied(); err != nil {
			return f, err
		}
	}
	cpu, err := s.cpu()
	if err != nil {
		return f, err
	}
	packets, err := udpPackets()
	if err != nil {
		return f, err
	}
	began := time.Now()
	var purges, hits atomic.Uint64
	timed, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	var g group
	for i := range l.accepting {
		for range connections / l.accepting {
			g.run(cancel, func() error { return s.nodes[i].purge(timed, began, l.rate, &purges) })
		}
	}
	if l.hits {
		for range connections {
			g.run(cancel, func() error { return s.nodes[len(s.nodes)-1].hit(timed, &hits) })
		}
	}
	if l.accepting == 0 && !l.hits {
		<-timed.Done()
	}
	if err := g.wait(); err != nil {
		return f, err
	}
	f.took, f.purges, f.hits = time.Since(began), purges.Load(), hits.Load()
	ended := time.Now()
	for i, n := range s.nodes {
		if err := n.waitApplied(ctx, start[i]+f.purges); err != nil {
			return f, fmt.Errorf("node %d: %w", i, err)
		}
	}
	f.caught = time.Since(ended)
	after, err := s.cpu()
	if err != nil {
		return f, err
	}
	for i := range after {
		f.cpu = append(f.cpu, after[i]-cpu[i])
	}
	now, err := udpPackets()
	f.packets = now - packets
	return f, err
}

func (n *node) waitApplied(ctx context.Context, want uint64) error {
	for end := time.Now().Add(catchUp); ; time.Sleep(5 * time.Millisecond) {
		got, err := n.applied()
		switch {
		case err != nil:
			return err
		case got == want:
			return nil
		case got > want:
			return fmt.Errorf("%d purges applied, %d were made", got, want)
		case time.Now().After(end) || ctx.Err() != nil:
			return fmt.Errorf("%d purges applied after %v, %d were made", got, catchUp, want)
		}
	}
}

// cpu returns the processor time that each node has used.
func (s *site) cpu() (all []time.Duration, err error) {
	for _, n := range s.nodes {
		var t unix.Timespec
		// The clock of another process, as clock_getcpuclockid gives it: a few purges
		// take less than the hundredth of a second in which /proc counts.
		if err := unix.ClockGettime(int32(^n.cmd.Process.Pid<<3|2), &t); err != nil {
			return nil, fmt.Errorf("processor time of process %d: %w", n.cmd.Process.Pid, err)
		}
		all = append(all, time.Duration(t.Nano()))
	}
	return all, nil
}

// udpPackets returns how many UDP packets this machine has sent.
func udpPackets() (uint64, error) {
	text, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		return 0, err
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i, name := range names {
			if name == "OutDatagrams" && i < len(f) {
				return strconv.ParseUint(f[i], 10, 64)
			}
		}
	}
	return 0, fmt.Errorf("/proc/net/snmp does not count UDP packets")
}

// group runs functions until the first fails, which ends the others.
type group struct {
	sync.WaitGroup
	once sync.Once
	err  error
}

func (g *group) run(cancel func(), do func() error) {
	g.Go(func() {
		if err := do(); err != nil {
			g.once.Do(func() { g.err = err })
			cancel()
		}
	})
}

func (g *group) wait() error {
	g.Wait()
	return g.err
}
