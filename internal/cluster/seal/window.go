package seal

// windowSize is how far packets of one sender may overtake each other, in
// packets: two seconds at 4,000 a second, which is more than a member sends.
const windowSize = 8192

// window remembers which counters of one sender have been seen.
//
// Invariant: bit c%windowSize says whether c was seen, for every c with
// top-windowSize < c <= top.
type window struct {
	top  uint64
	bits [windowSize / 64]uint64
}

func (w *window) check(c uint64) Refusal {
	switch {
	case c == 0:
		return Forged
	case c > w.top:
		return Opened
	case w.top-c >= windowSize:
		return Stale
	case w.bits[c%windowSize/64]&(1<<(c%64)) != 0:
		return Replayed
	}
	return Opened
}

// add marks a counter that check has let through.
func (w *window) add(c uint64) {
	if c > w.top {
		if c-w.top >= windowSize {
			w.bits = [windowSize / 64]uint64{}
		} else {
			for n := w.top + 1; n < c; n++ {
				w.bits[n%windowSize/64] &^= 1 << (n % 64)
			}
		}
		w.top = c
	}
	w.bits[c%windowSize/64] |= 1 << (c % 64)
}
