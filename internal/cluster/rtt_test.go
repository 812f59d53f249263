package cluster

import (
	"testing"
	"time"
)

// A measure of while a node starts is many times too long. It must not be taken off
// the times of confirmations, for which the least of late counts.
func TestTheWayBackIsHalfOfTheLeastOfLate(t *testing.T) {
	var none *rtt
	if none.back() != 0 || (&rtt{}).back() != 0 {
		t.Error("something is taken off where nothing was measured")
	}
	r := &rtt{}
	for i, tc := range []struct{ took, back time.Duration }{
		{74 * time.Millisecond, 37 * time.Millisecond},
		{300 * time.Microsecond, 150 * time.Microsecond},
		{20 * time.Millisecond, 150 * time.Microsecond},
	} {
		if r.take(tc.took); r.back() != tc.back {
			t.Errorf("after measure %d: %v", i, r.back())
		}
	}
	// A route that has grown longer counts once nothing else was seen for a while.
	for range recentTrips {
		r.take(5 * time.Millisecond)
	}
	if r.back() != 2500*time.Microsecond {
		t.Errorf("on the longer route: %v", r.back())
	}
}
