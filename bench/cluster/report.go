package main

import (
	"fmt"
	"strings"
	"time"
)

// results are what was measured with some nodes.
type results struct {
	nodes                      int
	idle, one, all, hits, both figures
}

// sum returns the processor time of nodes from one on, less what they use when
// nothing happens.
func (r results) sum(f figures, from int) time.Duration {
	var total time.Duration
	for i := from; i < len(f.cpu); i++ {
		total += f.cpu[i] - time.Duration(float64(r.idle.cpu[i])*f.wall()/r.idle.wall())
	}
	return max(total, 0)
}

// wall returns seconds, those of catching up included.
func (f figures) wall() float64 { return (f.took + f.caught).Seconds() }

// micros returns microseconds of a for each of n.
func micros(d time.Duration, n uint64) float64 {
	return float64(d) / float64(time.Microsecond) / float64(max(n, 1))
}

// receiver is what an entry costs a node that did not accept it.
func (r results) receiver() float64 {
	return micros(r.sum(r.one, 1), r.one.purges*uint64(r.nodes-1))
}

// acceptor is what a purge costs the node that accepted it.
func (r results) acceptor() float64 {
	return micros(r.sum(r.one, 0)-r.sum(r.one, 1), r.one.purges)
}

func report(p plan, whole, pair results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d processes in %d POPs on one machine, journals in memory-backed files; %v each.\n\n", whole.nodes, pops, p.seconds)
	b.WriteString("| Load | purges/s | all applied after the last | processor time an entry a node | hits/s of one node | its hits a second of processor time | UDP packets a purge |\n|---|--:|--:|--:|--:|--:|--:|\n")
	line := func(what string, f figures) {
		purges, caught, each, hits, per, packets := "", "", "", "", "", ""
		if f.purges > 0 {
			purges = fmt.Sprintf("%.0f", float64(f.purges)/f.took.Seconds())
			caught = fmt.Sprintf("%.0f ms", f.caught.Seconds()*1000)
			packets = fmt.Sprintf("%.1f", float64(f.packets)/float64(f.purges))
		}
		if f.purges > 0 && f.hits == 0 {
			each = fmt.Sprintf("%.1f µs", micros(whole.sum(f, 0), f.purges*uint64(whole.nodes)))
		}
		if f.hits > 0 {
			hits = fmt.Sprintf("%.0f", float64(f.hits)/f.took.Seconds())
			per = fmt.Sprintf("%.0f", float64(f.hits)/f.cpu[len(f.cpu)-1].Seconds())
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", what, purges, caught, each, hits, per, packets)
	}
	line("purges at one node", whole.one)
	line("purges at all nodes", whole.all)
	line("hits", whole.hits)
	line("purges at all nodes, and hits", whole.both)

	further := (whole.acceptor() - pair.acceptor()) / float64(whole.nodes-2)
	idle := micros(whole.sum2(whole.idle), uint64(whole.nodes)) / 1e6 / whole.idle.wall() * 100
	fmt.Fprintf(&b, `
Every node has applied every purge of each line, and none twice. The column counts a purge at the node that accepts it,
its HTTP request and its receipt included, and at the others.

| | |
|---|--:|
| An entry, at a node that did not accept it | %.1f µs |
| A purge, at the node that accepts it, with %d members | %.0f µs |
| the same with 2 members | %.0f µs |
| so each further member | %.1f µs |
| A node that has nothing to do | %.1f %% of a core |
`, whole.receiver(), whole.nodes, whole.acceptor(), pair.acceptor(), further, idle)
	b.WriteString(thousand(whole, pair, max(further, 0)))
	return b.String()
}

// sum2 is the processor time of all nodes.
func (r results) sum2(f figures) (total time.Duration) {
	for _, t := range f.cpu {
		total += t
	}
	return total
}

// thousand says what the figures come to for a thousand members, by arithmetic.
func thousand(whole, pair results, further float64) string {
	const members, rate = 1000, 100
	text := fmt.Sprintf("\n### %d members, by arithmetic\n\nAt %d purges a second in the whole cluster, with these costs:\n\n", members, rate)
	text += fmt.Sprintf("- a node that receives them: %.2f %% of a core; %d purges a second would take a tenth of one;\n",
		whole.receiver()*rate/1e4, int(1e5/max(whole.receiver(), 0.1)))
	for _, cities := range []int{50, 250} {
		relays := 2 * cities
		text += fmt.Sprintf("- one that accepts them all, with %d POPs and so %d relays: %.1f %% of a core, and a relay of %d members passes each on to them for %.1f %%;\n",
			cities, relays, (pair.acceptor()+further*float64(relays-1))*rate/1e4, members/cities, further*float64(members/cities-1)*rate/1e4)
	}
	return text + fmt.Sprintf("- one that accepted them all without relays: %.1f %%.\n", (pair.acceptor()+further*(members-1))*rate/1e4)
}
