// Package heart keeps heartbeats and decides by them whether this node is
// isolated. Heartbeats are asked for, never pushed: an answer is no older than
// its question, so ages add up to bounds without synchronized clocks. They are
// passed on with their age, and count only once everything has been applied
// that their sender knew.
//
// The package is pure. Instants are of a clock that counts suspension: a node
// that slept through a purge must find itself isolated when it wakes.
package heart
