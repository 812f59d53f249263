// Package wan measures, in virtual time, how long a purge takes to be in force on
// every node of a worldwide cluster: 64 nodes in 32 cities, with the product's own
// journal, cluster and control, beside memberlist's gossip and a hub that does
// the same work. It prices the protocol and the distances, not the processor: in a
// bubble of testing/synctest computing takes no time.
package wan
