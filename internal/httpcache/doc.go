// Package httpcache holds the rules of HTTP caching: what a response permits to
// be stored and for how long, what a stored response may answer, and how the
// two are told apart, validated, cut into ranges, invalidated and described
// (RFC 9110, 9111, 5861, 8246, 9211, 9213).
//
// Every function is pure: values and the time go in, a decision with its reason
// comes out. The package reads no clock, keeps no state, does no input or
// output and does not log. It knows nothing of where responses are kept and
// nothing of purges: whoever asks passes times that purges have bounded already.
//
// What runs for each request (ParseRequest, Decide, VariantMatches,
// Precondition, ParseRange, EndToEnd) does not allocate in the common case.
package httpcache
