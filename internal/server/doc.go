// Package server owns the ports that clients connect to: listeners, TLS,
// connection limits, and the strict HTTP/1 framing check in front of net/http.
//
// Every HTTP/1 connection is wrapped. The wrapper's Read yields nothing of a
// request to net/http until it has read the whole head and found it strict
// (RFC 9112), and then follows the body byte by byte, so that this server and
// whatever stands before or behind it cannot disagree about where a request
// ends. What is ambiguous is refused with a short answer, an event, and the
// end of the connection; net/http's own parser never gets to be lenient, and
// never answers anything that no log has seen.
//
// HTTP/2, over TLS or in clear with prior knowledge, is net/http's; a handler
// in front of the configured one holds its requests to the same limits. Where
// there is a FastHandler, a relay reads the client's frames before net/http
// does, and has simple requests answered on the way.
//
// A port can be for load balancers alone: each connection then begins with a
// PROXY header, versions 1 and 2, and has the addresses that it names.
// Listeners can also come from a service manager, such as systemd.
//
// The package does not route, cache, log requests or know of services: it
// hands requests to one http.Handler. Write deadlines of a response are that
// handler's business, through http.ResponseController.
//
// Simple requests are offered to a FastHandler first. It answers from inside
// the wrapper's Read, so that net/http, which waits there for the next request,
// sees nothing of them: no goroutine changes and nothing is allocated. What it
// declines a PlainHandler answers, which may wait for as long as it likes.
package server
