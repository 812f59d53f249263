package main

import (
	"math"
	"testing"
)

func TestPercentile(t *testing.T) {
	for _, c := range []struct {
		samples []float64
		p, want float64
	}{
		{[]float64{7}, 50, 7},
		{[]float64{3, 1, 2}, 50, 2},
		{[]float64{4, 1, 3, 2}, 50, 2.5},
		{[]float64{1, 2, 3, 4, 5}, 25, 2},
		{[]float64{1, 2, 3, 4, 5}, 0, 1},
		{[]float64{1, 2, 3, 4, 5}, 100, 5},
		{[]float64{0, 100}, 99, 99},
	} {
		if got := percentile(c.samples, c.p); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("percentile(%v, %v) = %v, want %v", c.samples, c.p, got, c.want)
		}
	}
	if got := percentile(nil, 50); !math.IsNaN(got) {
		t.Errorf("percentile of nothing = %v", got)
	}
}

func TestPercentileLeavesItsArgument(t *testing.T) {
	samples := []float64{3, 1, 2}
	percentile(samples, 50)
	if samples[0] != 3 || samples[1] != 1 || samples[2] != 2 {
		t.Errorf("sorted to %v", samples)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		samples []float64
		want    float64
	}{
		{nil, 0},
		{[]float64{5}, 0},
		{[]float64{10, 10, 10}, 0},
		{[]float64{8, 9, 10, 11, 12}, 0.2},
		{[]float64{9, 10, 10, 10, 1000}, 0}, // one round that was disturbed
	} {
		if got := (series{Samples: c.samples}).spread(); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("spread of %v = %v, want %v", c.samples, got, c.want)
		}
	}
}
