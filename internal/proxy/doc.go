// Package proxy answers requests: the state machine from a request received to
// a response delivered. Its states are those that users of Varnish and Fastly
// know (recv, hash, lookup, hit, miss, pass, deliver, error), one function
// each, with an explicit input and output.
//
// It applies the rules of httpcache to what is stored, leaves the origin to
// fetch, and hands PURGE requests to the handler it is given. It knows nothing
// of how purges are made or spread.
package proxy
