// Package invalidation speaks the HTTP Cache Invalidation API of
// draft-nottingham-http-invalidation-01, an expired draft that some caches and
// frameworks implement: URLs, path prefixes, origins, and groups of an origin
// (RFC 9875), made stale or removed.
//
// A success is 200 only once every node has carried it out, and 202 until then.
// Paths are compared segment by segment: "/foo/bar" does not take "/foo/barbaz".
package invalidation
