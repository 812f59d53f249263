// Package sink carries lines of a log to where they are kept: standard output,
// a file, a syslog collector or a webhook.
//
// Whoever writes a line never waits for it to arrive. A line enters a bounded
// queue, or is dropped and counted; each sink has a queue and a goroutine of
// its own, so that one which stalls harms neither the writers nor the others. A
// sink knows nothing of what its lines say, and keeps none once it is closed.
package sink
