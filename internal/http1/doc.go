// Package http1 is the grammar of HTTP/1 messages (RFC 9112) that is the same
// whoever sent them: field lines, what frames a body, and the chunked coding.
// internal/server reads requests by it, internal/origin responses.
//
// It is pure: bytes in, their parts or a Fault out. It does not decide what a
// fault means to whoever sent the message, and has no limits of its own: those
// are settings of whoever reads.
package http1
