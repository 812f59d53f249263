package cluster

import (
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// maxRTT is the longest round trip that is believed. What takes longer has
// waited somewhere.
const maxRTT = 10 * time.Second

// How round trips are measured. The first measures are taken while one of the two
// nodes starts, and may be many times too long: so there are more of them then, and
// what is taken for the way back is the least of the last ones. Those span a good
// minute, by pingEvery, so that a route that grew longer is noticed.
const (
	recentTrips = 8 // measures remembered; as many are taken in the first seconds
	promptTrips = 3 // of these, one right after the other
)

// rtt is the estimate of a member's round trip.
type rtt struct {
	token    uint64 // of the ping that is not answered; 0: none
	smooth   time.Duration
	recent   [recentTrips]time.Duration // the last measures, in a ring
	measured int
}

func (r *rtt) take(took time.Duration) {
	if r.smooth == 0 {
		r.smooth = took
	}
	r.smooth += (took - r.smooth) / 4
	r.recent[r.measured%recentTrips] = took
	r.measured++
}

// back returns how long a packet takes on its way back: half of the least measure
// of late. What is taken off a confirmation's time must not be too much, since the
// receipt would say that a member was quicker than it was. 0: nothing is known.
func (r *rtt) back() time.Duration {
	if r == nil || r.measured == 0 {
		return 0
	}
	return slices.Min(r.recent[:min(r.measured, recentTrips)]) / 2
}

// ping measures the round trip to a member.
func (c *Cluster) ping(p *peer) {
	token := uint64(max(c.now(), 1))
	c.core.Lock()
	r := c.core.rtts[p.id]
	if r == nil {
		r = &rtt{}
		c.core.rtts[p.id] = r
	}
	r.token = token
	c.core.Unlock()
	c.sendOne(wire.AppendPing(nil, wire.TypePing, token), p)
}

// takePing answers a ping, or takes the answer to one.
func (c *Cluster) takePing(t wire.Type, token uint64, src source) {
	if src.origin == nil {
		return
	}
	if t == wire.TypePing {
		c.sendOne(wire.AppendPing(nil, wire.TypePong, token), src.origin)
		return
	}
	if c.takePong(src.origin.id, token) {
		c.ping(src.origin)
	}
}

// takePong takes the answer to a ping, and tells whether the next one is due at
// once.
func (c *Cluster) takePong(id wire.ID, token uint64) (again bool) {
	c.core.Lock()
	defer c.core.Unlock()
	r := c.core.rtts[id]
	if r == nil || r.token != token || token == 0 {
		return false
	}
	r.token = 0
	took := c.now() - time.Duration(token)
	if took <= 0 || took > maxRTT {
		return false
	}
	r.take(took)
	c.core.RoundTrip(id, r.smooth)
	return r.measured < promptTrips
}

// rtt returns the estimate for a member, 0 if there is none.
func (c *Cluster) rtt(id wire.ID) time.Duration {
	c.core.Lock()
	defer c.core.Unlock()
	if r := c.core.rtts[id]; r != nil {
		return r.smooth
	}
	return 0
}

// pingDue tells whether a member's round trip has not been measured often enough
// to be known.
func (c *Cluster) pingDue(id wire.ID) bool {
	c.core.Lock()
	defer c.core.Unlock()
	r := c.core.rtts[id]
	return r == nil || r.measured < recentTrips
}
