package sink

import "slices"

// batch is a run of framed lines.
type batch struct {
	data []byte
	ends []int // of each frame in data; increasing, the last is len(data)
}

func (b *batch) lines() int { return len(b.ends) }

// start returns where frame i begins; i may be lines().
func (b *batch) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.ends[i-1]
}

// within returns how many whole frames lie in the first n bytes.
func (b *batch) within(n int) int {
	i, found := slices.BinarySearch(b.ends, n)
	if found {
		i++
	}
	return i
}

// upTo returns the end of the longest run of frames from frame i on that takes
// at most n bytes; one frame, if that alone takes more.
func (b *batch) upTo(i, n int) (end int) {
	return max(i+1, b.within(b.start(i)+n))
}
