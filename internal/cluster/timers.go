package cluster

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/spread"
)

// timerRest is the least time between two looks at what is due, which with a
// thousand members cost 10 us each, and how much later than it is due something
// may happen.
const timerRest = 500 * time.Microsecond

// runTimers does what the spread has to do later.
func (c *Cluster) runTimers() {
	for {
		c.core.Lock()
		c.core.Tick(c.now())
		actions := c.core.Take()
		next, due := c.core.Next()
		c.core.timer.plan(next, due)
		c.core.Unlock()
		c.perform(actions)
		if !c.sleep(&c.core.timer) {
			return
		}
	}
}

// sleeper is when somebody who sleeps wakes up by himself. To wake a goroutine
// costs as much as all that most packets make it do, so it is done only where it
// would sleep for too long. The time is under the lock of the core.
type sleeper struct {
	until time.Duration
	early chan struct{}
}

// never is later than anything.
const never = time.Duration(1<<63 - 1)

func newSleeper() sleeper { return sleeper{never, make(chan struct{}, 1)} }

// plan says when to wake up, if ever.
func (s *sleeper) plan(at time.Duration, ever bool) {
	if s.until = never; ever {
		s.until = at
	}
}

// by makes who sleeps wake up at an instant, or a little later.
func (s *sleeper) by(at time.Duration) {
	if at >= s.until-timerRest {
		return
	}
	s.until = at
	select {
	case s.early <- struct{}{}:
	default:
	}
}

// sleep sleeps as planned, and tells whether the cluster is still open.
func (c *Cluster) sleep(s *sleeper) bool {
	c.core.Lock()
	until := s.until
	c.core.Unlock()
	var fire <-chan time.Time
	if until != never {
		t := time.NewTimer(max(until-c.now(), timerRest))
		defer t.Stop()
		fire = t.C
	}
	select {
	case <-fire:
	case <-s.early:
	case <-c.ctx.Done():
		return false
	}
	return true
}

// takeLocked returns what the spread wants to be done now, and sees to it that
// what it wants later is.
func (c *Cluster) takeLocked() spread.Actions {
	c.wakeLocked()
	return c.core.Take()
}

func (c *Cluster) wakeLocked() {
	if at := c.core.Soonest(); at > 0 {
		c.core.timer.by(at)
	}
}

// pingEvery is how many seconds lie between two measures of a member's round
// trip.
const pingEvery = 10

// runEverySecond does what is due about once a second.
func (c *Cluster) runEverySecond() {
	var late lateness
	for second := 0; c.pause(time.Second); second++ {
		for i, p := range c.view.Load().peers {
			if i%pingEvery == second%pingEvery || c.pingDue(p.id) {
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
		c.askLate(&late)
	}
}
