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

// DefaultEvery is the pause between two passes. Dead objects cost nothing but
// memory until then, and where that is short they go first anyway.
const DefaultEvery = 10 * time.Second

// Sweeper walks one store.
type Sweeper struct {
	Store  store.Store
	Engine *purge.Engine
	Every  time.Duration // between passes; 0 means DefaultEvery
	Log    *slog.Logger

	passes, swept, expired, marks atomic.Int64
	last                          atomic.Int64 // when the last pass began
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

// Run makes passes until the context ends.
func (s *Sweeper) Run(ctx context.Context) {
	every := s.Every
	if every <= 0 {
		every = DefaultEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.Pass(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// idleEvery is the pause between passes while no purge has marks: they then
// only find what has expired, and looking at everything is not free.
const idleEvery = time.Minute

// Pass walks the store once, where there is reason to. A pass that the context
// ends early drops no marks.
func (s *Sweeper) Pass(ctx context.Context) {
	now := time.Now().UnixNano()
	if s.Engine.Quiet() && now-s.last.Load() < int64(idleEvery) {
		return
	}
	s.last.Store(now)
	sweep := s.Engine.BeginSweep(now)
	pace := newPace()
	s.Store.Walk(func(o store.Object) bool {
		s.settle(o, now)
		return pace.step(ctx)
	})
	if ctx.Err() != nil {
		return
	}
	s.marks.Add(int64(s.Engine.EndSweep(sweep)))
	s.passes.Add(1)
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
