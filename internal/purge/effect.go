package purge

import (
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// Mode is what a purge does to the objects it selects.
type Mode uint8

const (
	Hard Mode = iota // unusable from now on
	Soft             // stale from now on, still good for revalidation and outages
)

func (m Mode) String() string {
	if m == Soft {
		return "soft"
	}
	return "hard"
}

// Untouched as a Grace or Keep leaves the object's own window alone; any
// negative duration means the same.
const Untouched time.Duration = -1

// Effect is a mode with its parameters. The zero Effect is a hard purge.
type Effect struct {
	Mode  Mode
	TTL   time.Duration // soft: fresh for at most this long after At; negative counts as 0
	Grace time.Duration // soft: at most this long stale while revalidating or on errors; negative: untouched
	Keep  time.Duration // soft: at most this long kept for revalidation after that; negative: untouched
	At    int64         // when it takes effect, Unix nanoseconds: the earlier of issue and first local application
}

// SoftEffect returns a plain soft purge: stale at once, both windows untouched.
func SoftEffect() Effect {
	return Effect{Mode: Soft, Grace: Untouched, Keep: Untouched}
}

// Normal returns the effect in its one canonical form: a soft effect of all
// zeros is hard, a hard effect has no parameters, negative durations are equal.
func (e Effect) Normal() Effect {
	if e.Mode == Hard {
		return Effect{At: e.At}
	}
	e.TTL, e.Grace, e.Keep = max(e.TTL, 0), max(e.Grace, Untouched), max(e.Keep, Untouched)
	if e.TTL == 0 && e.Grace == 0 && e.Keep == 0 {
		return Effect{At: e.At}
	}
	return e
}

// Bound returns an object's times under a soft effect. It computes from the
// times given and never moves an instant later, so repeating a purge cannot
// lengthen a life. Stale windows start at the earlier of the purge and the
// natural end of freshness (RFC 5861 sections 3 and 4).
func (e Effect) Bound(own field.Times) field.Times {
	if e.Mode == Hard {
		return field.Times{}
	}
	swr, sie := own.SWR-own.Fresh, own.SIE-own.Fresh
	keep := own.Keep - max(own.SWR, own.SIE)
	if e.Grace >= 0 {
		swr, sie = min(swr, int64(e.Grace)), min(sie, int64(e.Grace))
	}
	if e.Keep >= 0 {
		keep = min(keep, int64(e.Keep))
	}
	fresh := own.Fresh
	if end := addClamped(e.At, int64(e.TTL)); end < fresh {
		fresh = end
	}
	bound := field.Times{Fresh: fresh, SWR: fresh + swr, SIE: fresh + sie}
	bound.Keep = max(bound.SWR, bound.SIE) + keep
	return bound.Min(own)
}

// strictest returns an effect that bounds at least as much as both: what
// remains when the marks of several purges must share one place.
func strictest(a, b Effect) Effect {
	if a.Mode == Hard || b.Mode == Hard {
		return Effect{At: min(a.At, b.At)}
	}
	end := min(addClamped(a.At, int64(a.TTL)), addClamped(b.At, int64(b.TTL)))
	at := min(a.At, b.At)
	merged := Effect{
		Mode: Soft, At: at, TTL: time.Duration(end - at),
		Grace: smaller(a.Grace, b.Grace), Keep: smaller(a.Keep, b.Keep),
	}
	return merged.Normal()
}

// smaller returns the lesser of two windows, of which a negative one does not
// bound at all.
func smaller(a, b time.Duration) time.Duration {
	switch {
	case a < 0:
		return b
	case b < 0:
		return a
	}
	return min(a, b)
}

func addClamped(a, b int64) int64 {
	if sum := a + b; sum >= a || b < 0 {
		return sum
	}
	return 1<<63 - 1
}
