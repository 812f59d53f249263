package slab

import "slices"

// Drain is a slab that is being emptied.
type Drain struct {
	slab  uint32
	size  uint16
	epoch uint32
}

// Tenant is a slot of such a slab and what it was settled with.
type Tenant struct {
	Slot, Group Ref
	Hash        uint64
}

// Stranded tells whether some size of slot has a whole slab's worth of free
// slots, so that a slab can be had for another without evicting much.
func (p *Pool) Stranded() bool {
	for i := range len(p.sizes) - 1 {
		if z := &p.sizes[i]; int(z.free.Load())*z.bytes >= p.slabBytes {
			return true
		}
	}
	return false
}

// BeginDrain picks the emptiest slab of the size that has the most bytes in
// free slots, gives out no further slots of it, and appends to dst who must
// leave. Where all slabs of that size have busy slots, or did not become empty
// before, it looks further. The slab is free for any size once all left.
// EndDrain must follow, unless there is no such slab: then ok is false.
func (p *Pool) BeginDrain(dst []Tenant) (d Drain, tenants []Tenant, ok bool) {
	for _, i := range p.byFreeBytes() {
		if d, tenants, ok = p.beginDrain(dst, i); ok {
			return d, tenants, ok
		}
	}
	return Drain{}, dst, false
}

// byFreeBytes returns the sizes with free slots, of most bytes first.
func (p *Pool) byFreeBytes() []uint16 {
	type free struct {
		at    uint16
		bytes int
	}
	var list []free
	for i := range len(p.sizes) - 1 {
		z := &p.sizes[i]
		if n := int(z.free.Load()); n > 0 {
			list = append(list, free{uint16(i), n * z.bytes})
		}
	}
	slices.SortFunc(list, func(a, b free) int { return b.bytes - a.bytes })
	order := make([]uint16, len(list))
	for i := range list {
		order[i] = list[i].at
	}
	return order
}

func (p *Pool) beginDrain(dst []Tenant, i uint16) (d Drain, tenants []Tenant, ok bool) {
	z := &p.sizes[i]
	z.mu.Lock()
	defer z.mu.Unlock()
	n := uint32(0)
	for at := z.mu.open; at != 0; at = p.slabs[at].next {
		s := &p.slabs[at]
		if !s.stuck && s.busy.Load() == 0 && (n == 0 || s.used < p.slabs[n].used) {
			n = at
		}
	}
	if n == 0 {
		return Drain{}, dst, false
	}
	s := &p.slabs[n]
	p.closeLocked(z, n)
	s.draining.Store(s.epoch)
	return Drain{n, i, s.epoch}, p.tenantsLocked(dst, z, n), true
}

func (p *Pool) tenantsLocked(dst []Tenant, z *size, n uint32) []Tenant {
	step := uint32(z.bytes / Granule)
	for k := range p.slabs[n].fresh {
		r := Ref(n<<p.slabShift + k*step)
		if h := p.Header(r); h.state.Load() == stateSettled {
			dst = append(dst, Tenant{r, h.group, h.hash})
		}
	}
	return dst
}

// EndDrain gives the slab's free slots out again where it did not become empty,
// and tells whether it did.
func (p *Pool) EndDrain(d Drain) bool {
	z, s := &p.sizes[d.size], &p.slabs[d.slab]
	z.mu.Lock()
	defer z.mu.Unlock()
	// Where it became empty it may be another size's by now.
	if !s.draining.CompareAndSwap(d.epoch, 0) {
		return true
	}
	s.stuck = true
	if s.used < z.perSlab {
		p.openLocked(z, d.slab)
	}
	return false
}
