// Package sweep frees what purges withdrew. A purge only writes marks; the
// sweeper walks what is stored, removes what is dead, writes the bounds of soft
// purges into the rest, and lets the marks go that nothing needs any more.
//
// It connects store and purge, which do not know each other.
package sweep

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// Sweeper walks one store.
type Sweeper struct {
	Store  store.Store
	Engine *purge.Engine
	Log    *slog.Logger

	passes, swept, expired, marks atomic.Int64
}

// Stats count what passes did since the start.
type Stats struct {
	Passes  int64
	Swept   int64 // objects removed because a purge withdrew them
	Expired int64 // objects removed because they had become useless
	Marks   int64 // purges whose marks were dropped
}

// Stats returns the counters.
func (s *Sweeper) Stats() Stats {
	return Stats{s.passes.Load(), s.swept.Load(), s.expired.Load(), s.marks.Load()}
}

// Pass walks the store once and returns the number of purges whose marks it
// dropped. One that the context ends early drops none.
func (s *Sweeper) Pass(ctx context.Context) (dropped int) {
	now := time.Now().UnixNano()
	sweep := s.Engine.BeginSweep(now)
	pace := newPace()
	s.Store.Walk(func(o store.Object) bool {
		s.settle(o, now)
		return pace.step(ctx)
	})
	if ctx.Err() != nil {
		return 0
	}
	dropped = s.Engine.EndSweep(sweep)
	s.marks.Add(int64(dropped))
	s.passes.Add(1)
	return dropped
}

// settle removes an object that is of no use, or writes into it what can no
// longer change. An object that only undoable purges withdrew is spared: it
// comes back if they are undone.
func (s *Sweeper) settle(o store.Object, now int64) {
	judge, ok := o.Judge().(*fetch.Judge)
	if !ok {
		return
	}
	own := o.Head.Times()
	settled := purge.Settled{Times: own}
	if o.Checked() < judge.Marks.Position() { // else no mark concerns it
		settled = judge.Settle(o, now)
	}
	switch {
	case settled.Gone:
		o.Withdraw() // before the marks can go
		s.Store.Remove(o, store.Swept)
		s.swept.Add(1)
	case o.Times().Min(settled.Times).Keep <= now && !settled.Spare:
		o.Bind(settled.Times) // for whoever still holds it when the marks are gone
		s.Store.Remove(o, store.Expired)
		s.expired.Add(1)
	case settled.Times != own:
		o.Bind(settled.Times)
	}
}
