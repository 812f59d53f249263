package main

import (
	"math"
	"slices"
)

// series is what one thing measured in the rounds.
type series struct {
	Name    string    `json:"name"`
	Samples []float64 `json:"samples"`
}

func (s *series) add(v float64) { s.Samples = append(s.Samples, v) }

// median returns the middle of the samples, NaN where there are none.
func (s series) median() float64 { return percentile(s.Samples, 50) }

// spread returns how far the samples lie apart: the distance between their
// quartiles in relation to the median, 0 for one sample. Half of the rounds are
// within it, so that one round that somebody disturbed does not count.
func (s series) spread() float64 {
	if len(s.Samples) < 2 || s.median() == 0 {
		return 0
	}
	return (percentile(s.Samples, 75) - percentile(s.Samples, 25)) / math.Abs(s.median())
}

// percentile returns the value below which p of 100 samples lie, interpolated
// between the two nearest; NaN without samples.
func percentile(samples []float64, p float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(samples))
	at := p / 100 * float64(len(sorted)-1)
	low, high := int(math.Floor(at)), int(math.Ceil(at))
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
