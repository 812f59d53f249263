// Package api holds the wire types of Rescind's native API: what the requests
// and answers under /v1 look like in JSON, and nothing else. It imports only
// the standard library, so that programs can depend on it without depending on
// a cache.
//
// The file openapi.yaml beside it describes the same API for programs in other
// languages; a test of the server compares the two.
//
// Every time is RFC 3339 with nanoseconds, in UTC; every length of time is a
// string with units ("30s", "1h30m"). Members that are absent are unknown or do
// not apply. A client must ignore members that it does not know; the server
// refuses unknown members of a request, because a misspelt selector that was
// ignored would purge something else than was asked.
package api
