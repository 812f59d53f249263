package memory

import (
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

const (
	// patience is how many objects one allocation evicts in the queue's order
	// before it empties a slab that is for another size of slot. What is evicted
	// in that order frees slots of the size that is wanted as often as such are
	// stored, so most allocations find theirs within a few. Where whole slabs'
	// worth of another size lie free, it waits less.
	patience         = 64
	patienceStranded = 8

	// mostDrains is how many slabs one allocation tries to empty. Each may cost
	// as many objects as fit into it. Where several did not become empty,
	// readers hold what is in them, and a store that is held by its readers is
	// not emptied of everything else for one response.
	mostDrains = 4

	// mostReaps is how many times one allocation looks for dead and expired
	// objects, judged at a time, before it evicts others.
	mostReaps = 64
)

// Pool implements store.Room.
func (s *Store) Pool() *slab.Pool { return s.pool }

// Take implements store.Room. It returns a slot of at least n bytes, evicting
// objects where it must; false: there was no room, which is counted. For more
// than any slot holds nobody is evicted.
func (s *Store) Take(n int) (slab.Ref, bool) {
	if n > s.pool.Most() {
		s.refused.Add(1)
		return 0, false
	}
	r, ok := s.take(func() (slab.Ref, bool) { return s.pool.Alloc(n) })
	if !ok {
		s.refused.Add(1)
	}
	return r, ok
}

// take calls alloc until it succeeds, and makes room in between.
func (s *Store) take(alloc func() (slab.Ref, bool)) (slab.Ref, bool) {
	room := search{s: s, reaps: mostReaps, victims: patience, drains: mostDrains}
	for {
		if r, ok := alloc(); ok {
			return r, true
		}
		if !room.more() {
			return 0, false
		}
	}
}

// search is one allocation's search for room, and how often it may yet try each
// way.
type search struct {
	s                      *Store
	reaps, victims, drains int
}

// more makes room somewhere: dead objects first, then those that nobody used
// for the longest, then all of a slab. It returns false where nothing is left
// to try.
func (r *search) more() bool {
	if r.reaps > 0 {
		if r.reaps--; r.s.reap() {
			return true
		}
		r.reaps = 0
	}
	if r.victims <= patience-patienceStranded && r.drains > 0 && r.s.pool.Stranded() {
		return r.drain()
	}
	if r.victims > 0 {
		r.victims--
		if v := r.s.queue.victim(); v != nil {
			r.s.drop(v, store.Evicted)
			r.s.release(v)
			return true
		}
		r.victims = 0
	}
	return r.drain()
}

// drain empties a slab, so that it can be carved anew.
func (r *search) drain() bool {
	if r.drains == 0 {
		return false
	}
	r.drains--
	d, tenants, ok := r.s.pool.BeginDrain(nil)
	if !ok {
		return false
	}
	for _, x := range tenants {
		for v := r.s.table.removeTenant(x); v != nil; v = r.s.table.removeTenant(x) {
			r.s.forgetAs(v, store.Evicted)
		}
	}
	r.s.pool.EndDrain(d)
	return true
}
