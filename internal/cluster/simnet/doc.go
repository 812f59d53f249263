// Package simnet is a network in memory for tests and simulations: hosts with
// addresses, packets and streams between them, each pair with its own delay,
// loss, duplication and partition. It takes its time from package time and is
// meant for a bubble of testing/synctest, where that is virtual.
//
// What is random comes from a seed. Goroutines that run at one instant are
// ordered by the Go scheduler, so two runs of one seed are alike but need not be
// the same.
package simnet
