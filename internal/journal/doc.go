// Package journal holds the rules of the replicated record of purges, tokens
// and other administrative acts: entries, version vectors, comparison, merge
// and retention.
//
// Every start of a node that issues entries is an incarnation with a gap-free
// sequence of its own. What a node knows is a vector: for each incarnation a
// row that says which entries it has applied and which of those it can no longer
// supply. Entries need no order among each other; they need to reach everybody,
// once or more often.
//
// The package is pure: it has no clock, no randomness, no goroutine, no lock,
// no network and no disk. Bytes are package wire's, the disk is package
// durable's, and who sends what to whom is the cluster's. What an entry means is
// known to whoever issues and applies it: entries of unknown kinds are kept and
// passed on like any other.
package journal
