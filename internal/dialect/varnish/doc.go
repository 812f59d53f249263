// Package varnish understands the methods by which applications purge a Varnish
// in front of them: PURGE, BAN, PURGEKEYS and PURGETAGS, with the fields that
// the common VCL recipes and their clients agreed on.
//
// Those clients write regular expressions where they mean tags. An expression
// that can only be met by certain tags becomes a purge of these tags; one of a
// plain path or host becomes a purge of that; any other is matched as it is.
//
// Who may not purge gets 405, as if there were no such method. It is not VCL:
// what a recipe would do differently cannot be said here.
package varnish
