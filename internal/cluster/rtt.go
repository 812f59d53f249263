package cluster

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// maxRTT is the longest round trip that is believed. What takes longer has
// waited somewhere.
const maxRTT = 10 * time.Second

// rtt is the estimate of a member's round trip.
type rtt struct {
	token  uint64 // of the ping that is not answered; 0: none
	smooth time.Duration
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
	c.core.Lock()
	defer c.core.Unlock()
	r := c.core.rtts[src.origin.id]
	if r == nil || r.token != token || token == 0 {
		return
	}
	r.token = 0
	took := c.now() - time.Duration(token)
	if took <= 0 || took > maxRTT {
		return
	}
	if r.smooth == 0 {
		r.smooth = took
	}
	r.smooth += (took - r.smooth) / 4
	c.core.RoundTrip(src.origin.id, r.smooth)
}

// rttLocked returns the estimate for a member, 0 if there is none.
func (c *Cluster) rttLocked(id wire.ID) time.Duration {
	if r := c.core.rtts[id]; r != nil {
		return r.smooth
	}
	return 0
}

func (c *Cluster) rtt(id wire.ID) time.Duration {
	c.core.Lock()
	defer c.core.Unlock()
	return c.rttLocked(id)
}
