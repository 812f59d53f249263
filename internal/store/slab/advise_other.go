//go:build unix && !linux && !race

package slab

func advise([]byte) {}
