// Package spread decides what a member sends to whom so that its entries reach
// every other at the speed of the network: batches and their repetition, pace,
// relays, acknowledgements, retransmission. It is the first phase of the
// protocol, the one that gives speed; whom it does not reach in a few attempts it
// leaves to the second, the comparison of vectors, and never waits for.
//
// The package is pure: messages and instants in, actions out. It has no clock,
// no lock, no goroutine and no network. Instants are durations since any moment
// that does not change.
package spread
