package edge

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Why an attempt is given up.
var (
	errSilent = errors.New("the shield does not say that it is at work")
	errGone   = errors.New("the shield is not alive any more")
)

// aliveEvery is how often it is looked whether a shield that is at work is alive: a
// connection that is cut says nothing, and what comes out of it when it heals is from
// before.
const aliveEvery = time.Second

// vigil watches over one attempt, and cancels it where the shield says no word in
// time, or has said that it is at work and then vanishes.
type vigil struct {
	cancel context.CancelCauseFunc
	alive  func() bool

	mu    sync.Mutex
	timer *time.Timer
	spoke bool
	over  bool
	why   error
}

func keepVigil(cancel context.CancelCauseFunc, alive func() bool) *vigil {
	v := &vigil{cancel: cancel, alive: alive}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.timer = time.AfterFunc(acceptWithin, v.look)
	return v
}

func (v *vigil) look() {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.over:
		return
	case !v.spoke:
		v.why = errSilent
	case !v.alive():
		v.why = errGone
	default:
		v.timer.Reset(aliveEvery)
		return
	}
	v.over = true
	v.cancel(v.why)
}

// heard notes that the shield is at work.
func (v *vigil) heard() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.spoke = true; !v.over {
		v.timer.Reset(aliveEvery)
	}
}

// end ends the vigil and returns why it has cancelled the attempt, if it has.
func (v *vigil) end() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
	v.timer.Stop()
	return v.why
}

// alive tells whether a member is among the shields that are alive.
func (p *Parent) alive(member string) bool {
	return slices.ContainsFunc(p.cfg.Members(), func(m Member) bool { return m.Name == member })
}
