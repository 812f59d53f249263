// Package origin turns a request into a response head and a body stream from
// one of a service's origins. It chooses a healthy backend, connects, sends
// the request as it was written, and says by name what went wrong when no
// complete response comes back.
//
// The words are Varnish's: an origin is what the configuration names; a
// backend is one address of it, with its own connections and its own health.
//
// The package moves messages and judges only their framing. It knows nothing
// of caching: which fields may be forwarded, what may be stored and what
// answers a client when an origin fails belong to its callers.
package origin
