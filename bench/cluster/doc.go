// Command cluster measures what a purge costs each node of a cluster of real
// processes on one machine. It counts processor time rather than time, since all
// nodes share the cores, and says whether every node has applied every purge. How
// fast purges cross a network is measured by bench/wan.
package main
