// Package field holds the words that every other package shares: an ordered
// view of header fields, the target of a request, cache keys, tags, positions
// and the instants that bound a stored response's life.
//
// It knows nothing of HTTP semantics beyond syntax, and imports nothing of the
// network: the rules live in httpcache and purge, which see requests and
// responses only through the types here. How messages are written on a
// connection is known to http1.
package field
