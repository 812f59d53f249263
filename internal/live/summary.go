package live

import (
	"container/heap"
	"strings"
)

// label is what is counted.
type label struct{ service, name string }

func (l label) clone() label { return label{strings.Clone(l.service), strings.Clone(l.name)} }

// summary counts the most frequent of any number of labels in a fixed number of
// places, by the algorithm called Space-Saving: a label that has no place takes
// that of the least frequent and inherits its count, as what its own may have
// been. So no count is too low, and none is too high by more than the whole
// divided by the number of places. The zero summary is empty.
type summary struct {
	places map[label]*count
	heap   counts // the least frequent first
}

type count struct {
	label label
	n     uint64
	over  uint64 // part of n that was inherited
	at    int    // index in the heap
}

// add counts a label, which it copies where it keeps it.
func (s *summary) add(l label, weight uint64) {
	if s.places == nil {
		s.places = make(map[label]*count)
	}
	c := s.places[l]
	switch {
	case c != nil:
	case len(s.heap) < maxCounted:
		c = &count{label: l.clone()}
		s.places[c.label] = c
		heap.Push(&s.heap, c)
	default:
		c = s.heap[0]
		delete(s.places, c.label)
		c.label, c.over = l.clone(), c.n
		s.places[c.label] = c
	}
	c.n += weight
	heap.Fix(&s.heap, c.at)
}

func (s *summary) reset() {
	clear(s.places)
	clear(s.heap)
	s.heap = s.heap[:0]
}

// counts is a heap.Interface.
type counts []*count

func (h counts) Len() int           { return len(h) }
func (h counts) Less(i, j int) bool { return h[i].n < h[j].n }
func (h counts) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].at, h[j].at = i, j }

func (h *counts) Push(x any) {
	c := x.(*count)
	c.at = len(*h)
	*h = append(*h, c)
}

func (h *counts) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	*h = (*h)[:last]
	return c
}
