// Package sim runs whole clusters in virtual time and looks for broken promises.
// Each node has the real journal, cluster, control, purge engine and memory store;
// only the network, the disks, the clocks and the clients are simulated. It takes
// time from package time and is meant for a bubble of testing/synctest.
//
// A run is planned by its seed: which nodes there are, which purges, reverts,
// tokens, crashes, partitions and other faults come, and when. After every step
// each node is asked for every page, and at the end, when all is healed, the
// nodes must agree, and a last purge must arrive and be confirmed in time. What is
// checked is computed from what clients saw and did, not from what the nodes
// believe: see checks.go, final.go and calm.go. For each check there is a broken
// node that it finds.
//
// A plan is the same each time; a run is not quite. Goroutines that run at one
// instant are ordered by the Go scheduler, the network's chances go to packets in
// that order, and memberlist and purge ids have random numbers of their own. So a
// failing seed fails again often, not always: replay it several times.
//
// It is no test of HTTP, of fetches that clients share, or of what a disk tier
// keeps: nodes begin with nothing stored.
package sim
