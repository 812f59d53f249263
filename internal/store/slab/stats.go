package slab

// Stats is what a Pool has in use, in bytes.
type Stats struct {
	Mapped int64 // in slabs that are not empty; never more than the limit
	Used   int64 // in slots that are taken
	Pinned int64 // in pinned slots
}

// Stats returns what is in use. Each number is exact; between them others may
// have changed.
func (p *Pool) Stats() Stats {
	return Stats{Mapped: p.mapped.Load(), Used: p.used.Load(), Pinned: p.pinned.Load()}
}

// Class is what one size of slot has in use.
type Class struct {
	Bytes int // of a slot
	Slabs int
	Used  int // slots that are taken
	Free  int // slots that are not
}

// AppendClasses appends the sizes that have slabs, pinned slots last.
func (p *Pool) AppendClasses(dst []Class) []Class {
	for i := range p.sizes {
		z := &p.sizes[i]
		z.mu.Lock()
		slabs, free := z.mu.slabs, int(z.free.Load())
		z.mu.Unlock()
		if slabs > 0 {
			dst = append(dst, Class{z.bytes, slabs, slabs*int(z.perSlab) - free, free})
		}
	}
	return dst
}
