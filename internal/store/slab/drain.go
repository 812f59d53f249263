package slab

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
	_, free := p.mostFree()
	return free >= p.slabBytes
}

// mostFree returns the size with the most bytes in free slots.
func (p *Pool) mostFree() (at uint16, bytes int) {
	for i := range len(p.sizes) - 1 {
		z := &p.sizes[i]
		if free := int(z.free.Load()) * z.bytes; free > bytes {
			at, bytes = uint16(i), free
		}
	}
	return at, bytes
}

// BeginDrain picks the emptiest slab of the size that has the most bytes in
// free slots, gives out no further slots of it, and appends to dst who must
// leave; busy slots are not listed. The slab is free for any size once all left.
// EndDrain must follow, unless no slab has free slots: then ok is false.
func (p *Pool) BeginDrain(dst []Tenant) (d Drain, tenants []Tenant, ok bool) {
	i, bytes := p.mostFree()
	if bytes == 0 {
		return Drain{}, dst, false
	}
	z := &p.sizes[i]
	z.mu.Lock()
	defer z.mu.Unlock()
	n := uint32(0)
	for at := z.mu.open; at != 0; at = p.slabs[at].next {
		if n == 0 || p.slabs[at].used < p.slabs[n].used {
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
	if s.used < z.perSlab {
		p.openLastLocked(z, d.slab)
	}
	return false
}

// openLastLocked lists a slab behind all others, so that the next drain of
// equally empty ones takes another.
func (p *Pool) openLastLocked(z *size, n uint32) {
	last := z.mu.open
	if last == 0 {
		p.openLocked(z, n)
		return
	}
	for p.slabs[last].next != 0 {
		last = p.slabs[last].next
	}
	p.slabs[last].next = n
	p.slabs[n].prev, p.slabs[n].next = last, 0
}
