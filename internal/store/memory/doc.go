// Package memory is the store.Store in memory: a sharded table under one byte
// budget, with SIEVE eviction that lets withdrawn objects go first.
//
// It decides neither what may be stored nor what may be served, and keeps
// nothing across a restart.
//
// What is stored, and the index that finds it, is in slots of a slab.Pool,
// outside the Go heap; slots name each other by their Refs. An object is a
// record with its Head behind it, and the chunks of its content. Three
// structures know every stored record, each under locks of its own: the table
// finds it by cache key, urls by the tag of its URL, and the queue holds the
// order of eviction. Invariants:
//
//   - No two locks are ever held at once, apart from the pool's, which are held
//     for an allocation only; and a hit takes only the read lock of one table
//     shard. Nothing but Matcher.MatchVariant is called out to while a lock is
//     held.
//   - The store holds one reference to a record from before it enters the queue
//     until after it has left all three. So whoever finds a record in one of
//     them, under its lock, may retain it.
//   - A record enters urls and the queue before the table, and leaves them after
//     it, so whatever a Get can return is known to both.
//   - Leaving the table is the one event that decides who cleans up: whoever took
//     the record out of it, and nobody else, gives back the store's reference.
//   - A slot is freed by whoever gives back the last reference.
package memory
