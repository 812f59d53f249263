// Package native serves Rescind's own API under /v1: package api's types on the
// wire, problem details for errors (RFC 9457). It is the one API that shows
// everything a purge has: several kinds of selector at once, the bounds of a
// soft purge, receipts and reverts.
package native
