package sweep

import (
	"context"
	"time"
)

// A pass works for a slice and then rests for nine times as long: it takes a
// tenth of one core, whatever there is to sweep. Slices are short because the
// requests of that core wait for their end; between them the goroutine sleeps
// rather than yields, since only a core that has nothing to run looks for
// requests that have arrived.
const (
	slice = 100 * time.Microsecond
	rest  = 9
	// between is how many objects are looked at between two looks at the clock,
	// which costs as much as looking at one.
	between = 16
)

// pace slows a pass down.
type pace struct {
	began   time.Time // of the slice
	objects int
	timer   *time.Timer
}

func newPace() *pace {
	p := &pace{began: time.Now(), timer: time.NewTimer(0)}
	<-p.timer.C
	return p
}

// step is called after each object. It returns false where the context has
// ended.
func (p *pace) step(ctx context.Context) bool {
	if p.objects++; p.objects%between != 0 {
		return true
	}
	worked := time.Since(p.began)
	if worked < slice {
		return ctx.Err() == nil
	}
	p.timer.Reset(rest * min(worked, 4*slice)) // the rest of a long one was somebody else's
	select {
	case <-p.timer.C:
		p.began = time.Now()
		return true
	case <-ctx.Done():
		return false
	}
}
