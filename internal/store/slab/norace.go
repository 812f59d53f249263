//go:build !race

package slab

const alwaysPoison = false
