//go:build race

package slab

// alwaysPoison: who runs under the race detector wants to know.
const alwaysPoison = true
