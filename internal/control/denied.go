package control

import (
	"errors"

	"github.com/rescind-edge/rescind/internal/event"
)

// How many denials are reported: anybody who can connect causes them, and a
// guesser must not fill the disk with logs. The rest are counted.
const (
	deniedRate  = 10 // a second
	deniedBurst = 100
)

// attempt is what a caller wanted.
type attempt struct {
	action  event.DeniedAction
	service string
	dialect string
}

// deny reports a denial and returns its reason.
func (c *Control) deny(who caller, a attempt, why error) error {
	c.counts.denied.Add(1)
	now := c.parts.Now()
	if !c.denied.AllowN(now, 1) {
		c.counts.suppressed.Add(1)
		return why
	}
	e := event.Denied{
		Time: now, Action: a.action, Reason: reasonOf(why), Detail: clip(why.Error()),
		Service: clip(a.service), Addr: who.creds.Addr, Dialect: a.dialect,
		Suppressed: int(c.counts.suppressed.Swap(0)),
	}
	if errors.Is(why, ErrNotSaved) || errors.Is(why, ErrUnavailable) {
		e.Cause = clip(innermost(why).Error())
	}
	if who.token != nil {
		e.Actor = who.token.name
	}
	c.parts.Sink.Denied(e)
	return why
}

// innermost returns the error in which an error began: of several that one wraps,
// the last.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			if list := many.Unwrap(); len(list) > 0 {
				next = list[len(list)-1]
			}
		}
		if next == nil {
			return err
		}
		err = next
	}
}

// discard is the Sink of a Control that has none.
type discard struct{}

func (discard) Purged(event.Purged)     {}
func (discard) Reverted(event.Reverted) {}
func (discard) Denied(event.Denied)     {}

// Refuse reports a purge that a dialect turned down for a reason of its own,
// such as a limit that control does not know, and returns the reason.
func (c *Control) Refuse(creds Credentials, service, dialect string, why error) error {
	who, _ := c.identify(c.state.Load(), creds, c.parts.Now())
	return c.deny(who, attempt{event.DeniedPurge, service, dialect}, why)
}
