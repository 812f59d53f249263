package stripe

import (
	"sync"
	"testing"
	"unsafe"
)

func TestNothingIsLostBetweenTheParts(t *testing.T) {
	var c Counter
	var all sync.WaitGroup
	for i := range uint32(3 * Parts) {
		all.Go(func() {
			for range 1000 {
				c.Add(i, 2)
				c.Add(i+1, -1)
			}
		})
	}
	all.Wait()
	if n := c.Load(); n != 3*Parts*1000 {
		t.Errorf("%d", n)
	}
}

func TestPartsLieApart(t *testing.T) {
	var o Of[[3]uint64]
	for i := range uint32(Parts - 1) {
		end := uintptr(unsafe.Pointer(o.At(i))) + unsafe.Sizeof(*o.At(i))
		if next := uintptr(unsafe.Pointer(o.At(i + 1))); next < end+apart {
			t.Errorf("parts %d and %d are %d bytes apart", i, i+1, next-end)
		}
	}
	n := 0
	if o.Each(func(*[3]uint64) { n++ }); n != Parts {
		t.Errorf("%d parts", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	var c Counter
	for b.Loop() {
		c.Add(7, 1)
	}
}
