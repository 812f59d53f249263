package wan

import (
	"math"
	"slices"
	"time"
)

// Figures are what a measurement came to.
type Figures struct {
	Plan    Plan
	Nodes   []time.Duration // until in force on another node, one for each purge and node
	Over    []time.Duration // the same without the way
	Last    []time.Duration // until in force on the last node, one for each purge
	Floor   []time.Duration // the way to the farthest node, one for each purge
	Missing int             // purges that some node never heard of
	Exact   int             // of Nodes, how many are within 5 % or 1 ms of the way
	InAim   int             // of Last, how many are within 150 ms, or the way and 10 %
	Packets float64         // of all kinds while purges were made, for each of them; streams do not count
}

// aims of the product.
const (
	exactShare = 0.05
	exactTime  = time.Millisecond
	aimLast    = 150 * time.Millisecond
	aimShare   = 0.10
)

// add takes one purge. While a city flaps its nodes do not count.
func (f *Figures) add(w *world, began time.Time, from int, heard []time.Time) {
	var last, floor time.Duration
	missing := false
	for i, n := range w.nodes {
		if i == from || w.plan.Flap && i/perCity == w.flapping() {
			continue
		}
		if heard == nil || heard[i].IsZero() {
			missing = true
			continue
		}
		way, took := Delay(w.nodes[from].city, n.city), heard[i].Sub(began)
		f.Nodes, f.Over = append(f.Nodes, took), append(f.Over, took-way)
		if took <= way+max(exactTime, time.Duration(exactShare*float64(way))) {
			f.Exact++
		}
		last, floor = max(last, took), max(floor, way)
	}
	if missing {
		f.Missing++
		return
	}
	f.Last, f.Floor = append(f.Last, last), append(f.Floor, floor)
	if last <= max(aimLast, floor+time.Duration(aimShare*float64(floor))) {
		f.InAim++
	}
}

// quantile returns the value below which a share of all lies, by nearest rank.
func quantile(all []time.Duration, share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	n := int(math.Ceil(share * float64(len(all))))
	return all[max(n, 1)-1]
}
