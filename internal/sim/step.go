package sim

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// steps returns how many steps the run has.
func (w *World) steps() int {
	if w.cfg.Steps > 0 {
		return w.cfg.Steps
	}
	return 60
}

// act is something that can happen in a step.
type act struct {
	weight int
	do     func(*World)
}

// acts are what happens, and how often in relation to the others.
var acts = []act{
	{40, (*World).purge}, {40, (*World).browse}, {10, (*World).revert}, {4, (*World).createToken}, {4, (*World).revokeToken},
	{4, (*World).weather}, {4, (*World).cut}, {5, (*World).heal}, {3, (*World).slowDown},
	{5, (*World).crash}, {10, (*World).restart}, {2, (*World).stop}, {1, (*World).wipe}, {1, (*World).keepCopy}, {1, (*World).rollBack},
	{1, (*World).clone}, {1, (*World).join}, {1, (*World).leave}, {1, (*World).forget},
	{3, (*World).jumpClock}, {1, (*World).suspend}, {3, (*World).slowDisk}, {2, (*World).fillDisk},
	{4, (*World).sweep}, {4, (*World).maintain}, {2, (*World).laterRelease}, {1, (*World).burst},
}

// step lets some time pass and something happen.
func (w *World) step() {
	pause := randomTime(w.rng, 0, 300*time.Millisecond)
	if w.rng.IntN(15) == 0 {
		pause = randomTime(w.rng, second, 20*second)
	}
	time.Sleep(pause)
	if n := len(w.cfg.Often); n > 0 && w.rng.IntN(3) == 0 {
		w.cfg.Often[w.rng.IntN(n)](w)
	}
	total := 0
	for _, a := range acts {
		total += a.weight
	}
	n := w.rng.IntN(total)
	for _, a := range acts {
		if n -= a.weight; n < 0 {
			a.do(w)
			return
		}
	}
}

// weather changes the loss, the duplication and the order of packets.
func (w *World) weather() {
	w.link.Loss = []float64{0, 0.01, 0.05, 0.2, 0.5}[w.rng.IntN(5)]
	w.link.Duplicate = []float64{0, 0.1, 0.5}[w.rng.IntN(3)]
	w.link.Jitter = []time.Duration{0, 5 * time.Millisecond, 200 * time.Millisecond}[w.rng.IntN(3)]
	w.note("loss %v, duplicates %v, jitter %v", w.link.Loss, w.link.Duplicate, w.link.Jitter)
	w.connect()
}

// cut cuts the way from some hosts to others, and half the time the way back.
func (w *World) cut() {
	var one, other []netip.Addr
	names := ""
	for _, h := range w.all() {
		if w.rng.IntN(2) == 0 {
			one, names = append(one, h.Host.Addr()), names+" "+h.Name
		} else {
			other = append(other, h.Host.Addr())
		}
	}
	w.net.Block(one, other, true)
	if w.rng.IntN(2) == 0 {
		w.net.Block(other, one, true)
		w.note("cut off:%s", names)
		return
	}
	w.note("not heard any more:%s", names)
}

func (w *World) heal() {
	var all []netip.Addr
	for _, h := range w.all() {
		all = append(all, h.Host.Addr())
	}
	w.net.Block(all, all, false)
	w.note("no way is cut any more")
}

func (w *World) slowDown() {
	h := w.all()[w.rng.IntN(len(w.all()))]
	by := time.Duration(0)
	if w.rng.IntN(2) == 0 {
		by = randomTime(w.rng, 0, 2*second)
	}
	h.Host.SetSlow(by)
	w.note("%s hears everything %v later", h.Name, by)
}

// jumpClock sets a time of day wrong. What is kept counts by it, so it stays
// below a day.
func (w *World) jumpClock() {
	h := w.all()[w.rng.IntN(len(w.all()))]
	by := randomTime(w.rng, -10*second, 10*second)
	if w.rng.IntN(4) == 0 {
		by = randomTime(w.rng, -6*time.Hour, 6*time.Hour)
	}
	h.Clock.Jump(by)
	w.note("the clock of %s jumps by %v", h.Name, by)
}

func (w *World) suspend() {
	h := w.all()[w.rng.IntN(len(w.all()))]
	long := randomTime(w.rng, second, time.Minute)
	h.Clock.Suspend(long)
	w.note("%s has slept for %v", h.Name, long)
}

// chances returns a source of chances for the loss of power, nil for a kill.
func (w *World) chances() *rand.Rand {
	if w.rng.IntN(3) == 0 {
		return nil
	}
	return rand.New(rand.NewPCG(w.rng.Uint64(), 3))
}
