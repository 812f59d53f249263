package slab

// Granule is what slots begin at and their sizes are multiples of, in bytes: a
// line of the processor's cache, so that what is read together at the beginning
// of a slot comes together.
const Granule = 64

// Slabs are a 512th of the limit, within these bounds: few enough slabs that
// partly filled ones do not weigh much, few enough of them that the list of all
// is small.
const (
	leastSlab    = 4 << 10
	mostSlab     = 1 << 20
	slabsInLimit = 512
)

// slabBytes returns the size of slabs for a limit: a power of two.
func slabBytes(limit int64) int {
	size := mostSlab
	for size > leastSlab && int64(size) > limit/slabsInLimit {
		size /= 2
	}
	return size
}

// spacing is the step from one size of slot to the next, as a part of it. With
// a sixteenth, a slot is about a thirty-second larger than what it holds.
const spacing = 16

// slotSizes returns the sizes of slots in slabs of the given size, ascending.
// Each is the largest that fits as often into a slab, so little remains there.
func slotSizes(slab int) []int {
	var sizes []int
	for want := Granule; want <= slab; {
		size := slab / (slab / want) / Granule * Granule
		sizes = append(sizes, size)
		step := max(size/spacing/Granule*Granule, Granule)
		want = size + step
	}
	return sizes
}

// sizeIndex maps a length in granules, less one, to the least size that holds
// it.
func sizeIndex(sizes []int) []uint16 {
	index := make([]uint16, sizes[len(sizes)-1]/Granule)
	at := 0
	for i := range index {
		if (i+1)*Granule > sizes[at] {
			at++
		}
		index[i] = uint16(at)
	}
	return index
}
