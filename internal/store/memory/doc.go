// Package memory is the store.Store in memory: a sharded table under one byte
// budget, with SIEVE eviction that lets withdrawn objects go first.
//
// It decides neither what may be stored nor what may be served, and keeps
// nothing across a restart.
//
// Three structures know every stored object, each under locks of its own: the
// table finds it by cache key, urls by the tag of its URL, and the queue holds
// the order of eviction. Invariants:
//
//   - No two locks are ever held at once, and a hit takes only the read lock of
//     one table shard. Nothing but Matcher.MatchVariant is called out to while a
//     lock is held.
//   - An object enters urls and the queue before the table, and leaves them
//     after it, so whatever a Get can return is known to both.
//   - Leaving the table is the one event that decides who cleans up: whoever took
//     the entry out of it, and nobody else, gives back its bytes and reference.
package memory
