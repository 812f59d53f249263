package slab

import (
	"sync"
	"sync/atomic"
)

// slab is what is known of one slab. Its fields are guarded by the lock of the
// size that it is carved into; while it is not, by that of the Pool.
type slab struct {
	epoch      uint32        // counts how often it was carved
	draining   atomic.Uint32 // the epoch, where it gives out no slots so that it becomes empty; else 0
	busy       atomic.Int32  // slots that are taken and not settled
	stuck      bool          // a drain did not empty it, and no slot became free since
	size       uint16        // index of its size
	used       uint32        // slots taken
	fresh      uint32        // slots from here on were never taken
	free       Ref           // the slot that became free last, from which others follow
	prev, next uint32        // neighbours in the size's list of slabs with free slots
}

// size is one size of slot.
type size struct {
	bytes   int
	perSlab uint32

	free atomic.Int64 // slots of its slabs that are not taken

	mu struct {
		sync.Mutex
		open  uint32 // first slab with free slots, 0: none
		slabs int    // carved into this size
	}
	_ [16]byte // to a cache line of its own
}

// take returns a slot of a size, 0 where there is none.
func (p *Pool) take(i uint16) Ref {
	z := &p.sizes[i]
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.mu.open == 0 && !p.carveLocked(i) {
		return 0
	}
	n := z.mu.open
	s := &p.slabs[n]
	r := s.free
	if r != 0 {
		s.free = p.Header(r).group
	} else {
		r = Ref(n<<p.slabShift + s.fresh*uint32(z.bytes/Granule))
		s.fresh++
	}
	s.used++
	s.busy.Add(1)
	z.free.Add(-1)
	if s.used == z.perSlab {
		p.closeLocked(z, n)
	}
	p.Header(r).state.Store(stateBusy)
	return r
}

// give takes a slot back.
func (p *Pool) give(i uint16, r Ref) {
	z := &p.sizes[i]
	z.mu.Lock()
	defer z.mu.Unlock()
	n := uint32(r) >> p.slabShift
	s, h := &p.slabs[n], p.Header(r)
	switch h.state.Load() {
	case stateFree:
		panic("slab: slot freed twice")
	case stateBusy:
		s.busy.Add(-1)
	}
	s.stuck = false
	h.state.Store(stateFree)
	h.group, s.free = s.free, r
	if s.used == z.perSlab && s.draining.Load() == 0 {
		p.openLocked(z, n)
	}
	s.used--
	z.free.Add(1)
	if s.used == 0 {
		p.returnLocked(z, n)
	}
}

// carveLocked makes a slab the first with free slots of a size; false where
// there is none left.
func (p *Pool) carveLocked(i uint16) bool {
	n := p.takeSlab()
	if n == 0 {
		return false
	}
	z, s := &p.sizes[i], &p.slabs[n]
	s.epoch++
	s.size, s.used, s.fresh, s.free, s.stuck = i, 0, 0, 0, false
	z.mu.slabs++
	z.free.Add(int64(z.perSlab))
	p.openLocked(z, n)
	return true
}

// returnLocked gives an empty slab to whatever size wants it next.
func (p *Pool) returnLocked(z *size, n uint32) {
	if p.slabs[n].draining.Swap(0) == 0 {
		p.closeLocked(z, n)
	}
	z.mu.slabs--
	z.free.Add(-int64(z.perSlab))
	p.giveSlab(n)
}

// openLocked lists a slab as one with free slots. The last is the first to be
// used: its memory is the most likely to be in the processor's cache.
func (p *Pool) openLocked(z *size, n uint32) {
	s := &p.slabs[n]
	s.prev, s.next = 0, z.mu.open
	if s.next != 0 {
		p.slabs[s.next].prev = n
	}
	z.mu.open = n
}

// closeLocked takes a slab off the list of those with free slots.
func (p *Pool) closeLocked(z *size, n uint32) {
	s := &p.slabs[n]
	if s.prev != 0 {
		p.slabs[s.prev].next = s.next
	} else {
		z.mu.open = s.next
	}
	if s.next != 0 {
		p.slabs[s.next].prev = s.prev
	}
}

// takeSlab returns an empty slab, 0 where the limit is reached or the system
// has no more memory.
func (p *Pool) takeSlab() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.mu.free) - 1; last >= 0 {
		n := p.mu.free[last]
		p.mu.free = p.mu.free[:last]
		p.mapped.Add(int64(p.slabBytes))
		return n
	}
	if p.mu.fresh == p.mu.limit {
		return 0
	}
	n := uint32(p.mu.fresh + 1)
	if !p.mapLocked(n) {
		p.mu.limit = p.mu.fresh // what there is must do
		return 0
	}
	p.mu.fresh++
	p.mapped.Add(int64(p.slabBytes))
	return n
}

// mapLocked sees to it that a slab has memory.
func (p *Pool) mapLocked(n uint32) bool {
	region := n << p.slabShift >> p.regionShift
	if p.regions[region] == nil {
		p.regions[region] = newRegion(p, Granule<<p.regionShift)
	}
	return p.regions[region] != nil
}

func (p *Pool) giveSlab(n uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.free = append(p.mu.free, n)
	p.mapped.Add(-int64(p.slabBytes))
}
