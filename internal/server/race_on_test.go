//go:build race

package server

// The race detector makes pools forget at random, so allocations mean nothing.
const raceDetector = true
