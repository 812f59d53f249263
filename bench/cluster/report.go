package main

import (
	"fmt"
	"strings"
	"time"
)

// results are what was measured with some nodes.
type results struct {
	nodes                                  int
	idle, few, one, burst, all, hits, both figures
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
func (r results) receiver(f figures) float64 {
	return micros(r.sum(f, 1), f.purges*uint64(r.nodes-1))
}

// acceptor is what a purge costs the node that accepted it.
func (r results) acceptor(f figures) float64 {
	return micros(r.sum(f, 0)-r.sum(f, 1), f.purges)
}

func report(p plan, whole, pair results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d processes in %d POPs on one machine, journals in memory-backed files; %v each.\n\n", whole.nodes, pops, p.seconds)
	b.WriteString("| Load | purges/s | all applied after the last | processor time an entry a node | hits/s of one node | its hits a second of processor time | UDP packets a purge |\n|---|--:|--:|--:|--:|--:|--:|\n")
	line := func(what string, f figures) {
		purges, caught, each, hits, per, packets := "", "", "", "", "", ""
		if f.purges > 0 {
			purges = fmt.Sprintf("%.0f", f.rate())
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
	line("few purges at one node", whole.few)
	line("purges at one node", whole.one)
	line("more purges at one node", whole.burst)
	line("purges at all nodes", whole.all)
	line("hits", whole.hits)
	line("purges at all nodes, and hits", whole.both)

	further := (whole.acceptor(whole.few) - pair.acceptor(pair.few)) / float64(whole.nodes-2)
	idle := micros(whole.used(whole.idle), uint64(whole.nodes)) / 1e6 / whole.idle.wall() * 100
	fmt.Fprintf(&b, `
Every node has applied every purge of each line, and none twice. The column counts a purge at the node that accepts it,
its HTTP request and its receipt included, and at the others. Of that:

| Processor time | %.0f a second | %.0f a second | %.0f a second |
|---|--:|--:|--:|
| An entry, at a node that did not accept it | %.1f µs | %.1f µs | %.1f µs |
| A purge, at the node that accepts it, with %d members | %.0f µs | %.0f µs | %.0f µs |
| the same with 2 members | %.0f µs | %.0f µs | %.0f µs |

A node that has nothing to do takes %.1f %% of a core. The fewer entries come together, the more an entry costs: alone, it has two
packets, each of which wakes a sleeping process up, and a part of a write and of an acknowledgement.
`, whole.few.rate(), whole.one.rate(), whole.burst.rate(),
		whole.receiver(whole.few), whole.receiver(whole.one), whole.receiver(whole.burst),
		whole.nodes, whole.acceptor(whole.few), whole.acceptor(whole.one), whole.acceptor(whole.burst),
		pair.acceptor(pair.few), pair.acceptor(pair.one), pair.acceptor(pair.burst), idle)
	b.WriteString(thousand(whole, pair, further))
	return b.String()
}

func (f figures) rate() float64 { return float64(f.purges) / f.took.Seconds() }

// used is the processor time of all nodes.
func (r results) used(f figures) (total time.Duration) {
	for _, t := range f.cpu {
		total += t
	}
	return total
}

// thousand says what the figures come to for a thousand members, by arithmetic.
func thousand(whole, pair results, further float64) string {
	const members, rate = 1000, 100
	core := func(micros float64) float64 { return micros * rate / 1e4 } // % of a core
	accepted, received := pair.acceptor(pair.few), whole.receiver(whole.few)
	if further <= 0 {
		return fmt.Sprintf(`
### %d members, by arithmetic

%d purges a second in the whole cluster take %.2f %% of a core of a node that receives them all. What each further member
costs the node that accepts a purge is less than what else differs between the runs with %d members and with 2, so nothing
is reckoned from it here.
`, members, rate, core(received), whole.nodes)
	}
	text := fmt.Sprintf(`
### %d members, by arithmetic

%d purges a second in the whole cluster, at the costs of the slowest column, which are the higher ones; each further
member costs the node that accepts a purge %.1f µs.

| | of a core |
|---|--:|
| a node that receives them all | %.2f %% |
| a node that accepts them all, and sends to %d members itself | %.1f %% |
`, members, rate, further, core(received), members-1, core(accepted+further*(members-1)))
	for _, cities := range []int{50, 250} {
		text += fmt.Sprintf("| the same with %d POPs, and so %d relays | %.1f %% |\n| one of those relays, with %d members in its POP | %.2f %% |\n",
			cities, 2*cities, core(accepted+further*float64(2*cities)), members/cities, core(received+further*float64(members/cities-1)))
	}
	return text
}
