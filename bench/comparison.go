package main

import (
	"fmt"
	"math"
)

// comparison is one line of the table: a thing measured of two subjects, and
// their ratio.
type comparison struct {
	Chapter string `json:"chapter"`
	What    string `json:"what"`
	Unit    string `json:"unit"`
	Subject series `json:"subject"`
	Peer    series `json:"peer"` // without samples where there is nothing to compare with
	Aim     aim    `json:"aim"`
}

// aim is what the ratio of subject to peer should be; the zero value: nothing.
type aim struct {
	Ratio  float64 `json:"ratio"`
	AtMost bool    `json:"at_most"` // else at least
}

func atLeast(ratio float64) aim { return aim{Ratio: ratio} }
func atMost(ratio float64) aim  { return aim{Ratio: ratio, AtMost: true} }

// ratio returns that of the medians, NaN where there is none.
func (c comparison) ratio() float64 {
	if len(c.Peer.Samples) == 0 || c.Peer.median() == 0 {
		return math.NaN()
	}
	return c.Subject.median() / c.Peer.median()
}

func (a aim) String() string {
	switch {
	case a.Ratio == 0:
		return ""
	case a.AtMost:
		return fmt.Sprintf("≤ %.1f", a.Ratio)
	}
	return fmt.Sprintf("≥ %.1f", a.Ratio)
}

// verdict says whether a ratio meets the aim, and else by which part it misses.
func (a aim) verdict(ratio float64) string {
	switch {
	case a.Ratio == 0:
		return ""
	case math.IsNaN(ratio):
		return "not measured"
	case a.AtMost && ratio <= a.Ratio, !a.AtMost && ratio >= a.Ratio:
		return "met"
	}
	return fmt.Sprintf("missed by %.0f %%", max(1, math.Round(100*math.Abs(ratio-a.Ratio)/a.Ratio)))
}
