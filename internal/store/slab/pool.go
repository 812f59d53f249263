package slab

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Config says how large a Pool may become.
type Config struct {
	// Limit is the most bytes in slabs, rounded down to whole ones. At most
	// 256 GiB less one slab, which is what a Ref can tell apart.
	Limit int64
	// Pinned is the size of the slots that AllocPinned returns, in bytes; at
	// most a slab. 0: a Granule.
	Pinned int
	// Poison overwrites slots that become free, so that whoever still reads one
	// finds out at once. For tests; under the race detector it is always on.
	Poison bool
}

// mostLimit is as far as Refs reach.
const mostLimit = (1<<32 - 1) * Granule

// Pool gives out slots. Its methods may be called from many goroutines at once;
// each locks one size of slot, and rarely the list of slabs behind it.
//
// Slabs are numbered from one, and a Ref counts granules from where slab zero
// would be, so that zero names nothing and a Ref is turned into an address by
// one look-up.
type Pool struct {
	slabBytes int
	slabShift int // a Ref's bits below the slab's number
	slabs     []slab
	sizes     []size   // the last is that of pinned slots
	bySize    []uint16 // index into sizes, by granules less one
	poison    bool

	regions     []unsafe.Pointer
	regionShift int // a Ref's bits below the region's number

	used, pinned, mapped atomic.Int64

	mu struct {
		sync.Mutex
		free  []uint32 // slabs that are mapped and empty
		fresh int      // slabs that were ever used, less than limit
		limit int      // number of slabs
	}
}

// NewPool returns a Pool with nothing mapped.
func NewPool(c Config) *Pool {
	limit := min(max(c.Limit, 0), mostLimit)
	p := &Pool{slabBytes: slabBytes(limit), poison: c.Poison || alwaysPoison}
	limit = min(limit, mostLimit-int64(p.slabBytes))
	p.slabShift = bits.TrailingZeros(uint(p.slabBytes / Granule))
	n := int(limit / int64(p.slabBytes))
	p.slabs = make([]slab, n+1)
	p.mu.limit = n

	region := regionSize(p.slabBytes, limit)
	p.regionShift = bits.TrailingZeros(uint(region / Granule))
	p.regions = make([]unsafe.Pointer, ((n+1)*p.slabBytes+region-1)/region)

	sizes := slotSizes(p.slabBytes)
	p.bySize = sizeIndex(sizes)
	pinned := (max(c.Pinned, Granule) + Granule - 1) / Granule * Granule
	p.sizes = make([]size, len(sizes)+1)
	for i, bytes := range append(sizes, min(pinned, p.slabBytes)) {
		p.sizes[i].bytes, p.sizes[i].perSlab = bytes, uint32(p.slabBytes/bytes)
	}
	return p
}

// Most returns the size of the largest slot, in bytes.
func (p *Pool) Most() int { return p.slabBytes }

// Alloc returns a slot of at least n bytes, HeaderBytes included, which is busy
// until it is settled; false where there is none. What it holds is undefined.
func (p *Pool) Alloc(n int) (Ref, bool) {
	if n > p.slabBytes {
		return 0, false
	}
	i := p.bySize[(max(n, 1)-1)/Granule]
	r := p.take(i)
	if r == 0 {
		return 0, false
	}
	p.used.Add(int64(p.sizes[i].bytes))
	return r, true
}

// AllocPinned returns a slot of Config.Pinned bytes of which nobody is ever
// asked to leave.
func (p *Pool) AllocPinned() (Ref, bool) {
	i := uint16(len(p.sizes) - 1)
	r := p.take(i)
	if r == 0 {
		return 0, false
	}
	p.pinned.Add(int64(p.sizes[i].bytes))
	return r, true
}

// Free makes a slot free. It must be nobody's any more.
func (p *Pool) Free(r Ref) {
	i := p.slabs[r>>p.slabShift].size
	if int(i) == len(p.sizes)-1 {
		p.pinned.Add(-int64(p.sizes[i].bytes))
	} else {
		p.used.Add(-int64(p.sizes[i].bytes))
	}
	if p.poison {
		poison(p.Bytes(r)[HeaderBytes:])
	}
	p.give(i, r)
}

// poison overwrites b.
func poison(b []byte) {
	for done := copy(b, "\xdb"); done < len(b); {
		done += copy(b[done:], b[:done])
	}
}

// Pointer returns the address of a slot. The Pool must be kept reachable for as
// long as it is used.
func (p *Pool) Pointer(r Ref) unsafe.Pointer {
	within := uint32(r) & (1<<p.regionShift - 1)
	return unsafe.Add(p.regions[r>>p.regionShift], uintptr(within)*Granule)
}

// Header returns the Header of a slot.
func (p *Pool) Header(r Ref) *Header { return (*Header)(p.Pointer(r)) }

// Size returns the bytes of a slot.
func (p *Pool) Size(r Ref) int { return p.sizes[p.slabs[r>>p.slabShift].size].bytes }

// SizeFor returns the bytes of the slot that Alloc(n) would return, 0 where
// there is no such size.
func (p *Pool) SizeFor(n int) int {
	if n > p.slabBytes {
		return 0
	}
	return p.sizes[p.bySize[(max(n, 1)-1)/Granule]].bytes
}

// Bytes returns the memory of a slot, its Header included.
func (p *Pool) Bytes(r Ref) []byte {
	return unsafe.Slice((*byte)(p.Pointer(r)), p.Size(r))
}
