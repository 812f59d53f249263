package httpcache

import (
	"math"
	"testing"
	"time"
)

// TestInstantsSaturate: an operator may configure any duration, and a wrapped
// sum would make what should live for ever dead, or what is dead live.
func TestInstantsSaturate(t *testing.T) {
	p := &Policy{DefaultSWR: math.MaxInt64, DefaultSIE: math.MaxInt64, DefaultKeep: math.MaxInt64}
	s := Store(got(200, "Cache-Control: max-age=2147483648", `ETag: "a"`), p)
	if s.Times.SWR != math.MaxInt64 || s.Times.SIE != math.MaxInt64 || s.Times.Keep != math.MaxInt64 {
		t.Errorf("times are %+v", s.Times)
	}
	for _, c := range []struct {
		from, to int64
		want     time.Duration
	}{
		{1, 3, 2}, {3, 1, -2},
		{math.MinInt64, math.MaxInt64, math.MaxInt64}, {math.MaxInt64, math.MinInt64, math.MinInt64},
	} {
		if got := since(c.from, c.to); got != c.want {
			t.Errorf("from %d to %d are %d", c.from, c.to, got)
		}
	}
	if got := later(5, -1); got != 5 {
		t.Errorf("a negative duration leads to %d", got)
	}
}
