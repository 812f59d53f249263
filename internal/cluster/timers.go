package cluster

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/network"
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
		c.core.timer.plan(c.core.Next())
		c.core.Unlock()
		c.perform(actions)
		if !c.core.timer.sleep() {
			return
		}
	}
}

// sleeper is when somebody who sleeps wakes up. To wake a goroutine costs as much
// as all that most packets make it do, so whoever has something for it to do sets
// its alarm, and only where it would ring too late. The time is under the lock of
// the core.
type sleeper struct {
	until time.Duration
	alarm network.Alarm
	now   func() time.Duration
}

// never is later than anything.
const never = time.Duration(1<<63 - 1)

// init makes a sleeper ready.
func (s *sleeper) init(c *Cluster) (err error) {
	s.until, s.now = never, c.now
	s.alarm, err = c.cfg.Network.Alarm()
	return err
}

// plan says when to wake up, if ever.
func (s *sleeper) plan(at time.Duration, ever bool) {
	if !ever {
		if s.until != never {
			s.until = never
			s.alarm.Set(-1)
		}
		return
	}
	s.until = at
	s.alarm.Set(max(at-s.now(), timerRest))
}

// by makes who sleeps wake up at an instant, or a little later.
func (s *sleeper) by(at time.Duration) {
	if at < s.until-timerRest {
		s.plan(at, true)
	}
}

// sleep sleeps as planned, and tells whether the cluster is still open.
func (s *sleeper) sleep() bool { return s.alarm.Wait() == nil }

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
		unsure := c.proof.Unsure(today)
		c.proof.Unlock()
		c.rounds.askLate(unsure)
		c.askLate(&late)
	}
}
