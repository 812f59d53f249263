package metrics

import (
	"sync"
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/stripe"
)

// stripes leads whoever counts to a stripe of their own, as far as there is one
// for each. A pool keeps what it is given for the core that gave it, so those
// who come by one core meet the same place; they begin with one stripe for all,
// and part when they meet somebody there.
type stripes struct {
	pool sync.Pool // of *place
	next atomic.Uint32
}

// place is where a core counts.
type place struct{ stripe uint32 }

func (s *stripes) get() *place {
	if p, ok := s.pool.Get().(*place); ok {
		return p
	}
	return new(place)
}

func (s *stripes) put(p *place) { s.pool.Put(p) }

// move makes a place that somebody else uses another one from the next time on.
func (s *stripes) move(p *place) { p.stripe = s.next.Add(1) % stripe.Parts }
