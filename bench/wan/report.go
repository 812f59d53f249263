package wan

import (
	"fmt"
	"strings"
	"time"
)

// Row is a line of the table.
type Row struct {
	How  string
	When string
	Figures
}

// Report writes the tables as Markdown.
func Report(rows []Row) string {
	var b strings.Builder
	p := rows[0].Plan
	fmt.Fprintf(&b, "%d nodes in %d cities, %d rounds of a purge from each, in virtual time. Milliseconds.\n", len(p.Cities)*perCity, len(p.Cities), p.Rounds)
	b.WriteString("\n### Until a purge is in force on a node\n\n")
	b.WriteString("Each pair of node and purge counts once. *Over* is what is above the one-way delay.\n\n")
	b.WriteString("| How | Network | p50 | p99 | p99.9 | max | over: p50 | p99 | p99.9 | max | within 5 % or 1 ms |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.3f %% |\n", r.How, r.When, quantiles(r.Nodes), quantiles(r.Over), percent(r.Exact, len(r.Nodes)))
	}
	b.WriteString("\n### Until it is in force on the last node\n\n")
	b.WriteString("The floor is the one-way delay to the farthest node. The aim is 150 ms or, where the floor is above 136 ms, the floor plus a tenth.\nPackets are those of membership, heartbeats and acknowledgements too, divided by the purges, one every 437 ms.\n\n")
	b.WriteString("| How | Network | p50 | p99 | p99.9 | max | floor: p50 | p99 | p99.9 | max | within the aim | never everywhere | packets a purge |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		packets := ""
		if r.Packets > 0 {
			packets = fmt.Sprintf("%.0f", r.Packets)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f %% | %d | %s |\n", r.How, r.When, quantiles(r.Last), quantiles(r.Floor),
			percent(r.InAim, len(r.Last)+r.Missing), r.Missing, packets)
	}
	return b.String()
}

func quantiles(all []time.Duration) string {
	var cells []string
	for _, share := range []float64{0.5, 0.99, 0.999, 1} {
		cells = append(cells, fmt.Sprintf("%.1f", float64(quantile(all, share))/float64(time.Millisecond)))
	}
	return strings.Join(cells, " | ")
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }
