// Package cluster carries the journal's entries and the replicated state
// between the nodes of a Rescind edge, and knows who the nodes are, which of them
// have applied what, and whether this one is cut off from the others. It carries
// bytes: what an entry means is known to whoever issues and applies it.
//
// Entries travel twice. First straight to every member in packets (package
// spread), for speed; then nodes compare what they know with random peers about
// once a second and fetch what they lack (exchange.go), for certainty. Members
// acknowledge what they have applied and made durable; proof of who has applied
// what derives from that (package proof). Heartbeats count only after everything
// their sender knew has been applied (package heart). Membership and failure
// detection are memberlist's, and nothing else is (membership.go); the roster of
// who belongs to the cluster is part of the replicated state (roster.go).
//
// The protocol is described in docs/purge-protocol.md.
package cluster
