package cluster

import "time"

// timerRest is the least time between two looks at what is due: with a thousand
// members a look costs 10 us.
const timerRest = 500 * time.Microsecond

// runTimers does what the spread has to do later.
func (c *Cluster) runTimers() {
	for {
		c.core.Lock()
		c.core.Tick(c.now())
		actions := c.core.Take()
		next, due := c.core.Next()
		c.core.Unlock()
		c.perform(actions)
		if !c.sleepUntil(next, due) || !c.pause(timerRest) {
			return
		}
	}
}

// sleepUntil waits for an instant or a poke, and tells whether the cluster is
// still open.
func (c *Cluster) sleepUntil(at time.Duration, due bool) bool {
	var fire <-chan time.Time
	if due {
		t := time.NewTimer(at - c.now() - timerRest)
		defer t.Stop()
		fire = t.C
	}
	select {
	case <-fire:
	case <-c.wake:
	case <-c.ctx.Done():
		return false
	}
	return true
}

// pingEvery is how many seconds lie between two measures of a member's round
// trip.
const pingEvery = 10

// runEverySecond does what is due about once a second.
func (c *Cluster) runEverySecond() {
	for second := 0; c.pause(time.Second); second++ {
		for i, p := range c.view.Load().peers {
			if i%pingEvery == second%pingEvery || c.rtt(p.id) == 0 {
				c.ping(p)
			}
		}
		c.settle()
		c.refreshRoster()
		c.dialer.closeIdle()
		c.assess()
		now, today := c.cfg.Clock(), c.expected()
		c.proof.Lock()
		c.proof.Review(now, today)
		c.proof.Unlock()
	}
}
