// Package fastly speaks Fastly's purge API, as its public clients use it: on
// the admin listener the paths under /service and /purge and the method PURGE
// for any host, on the sites' own listeners the method PURGE.
//
// Answers follow what those clients check: a success is exactly status 200 and
// the type exactly "application/json", an error is a JSON object with "msg". A
// soft purge is asked for by the mere presence of Fastly-Soft-Purge, on
// purge_all too, where the clients send it and Fastly ignores it.
//
// It is not Fastly's configuration API: a service can be listed and looked at,
// since clients find its id by its name, so can the caller's own token, and
// everything else is unknown.
package fastly
