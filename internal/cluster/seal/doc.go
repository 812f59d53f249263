// Package seal encrypts and authenticates what members send each other: single
// packets, sealed once for all receivers, and streams. It derives every key
// from the cluster's secrets and refuses what is forged, replayed or sealed
// under a secret that it does not have.
//
// Who holds a secret is trusted: a seal says that a member made a packet, not
// which one. The package knows nothing of what it seals.
package seal
