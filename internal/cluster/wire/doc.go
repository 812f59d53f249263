// Package wire is the form of what members send each other, inside the seal:
// the frames of a packet and the messages of a stream. Entries, vectors and
// state inside them have the form of package journal/wire, which this package
// passes through without looking.
//
// Parsers read what anybody with the cluster's secret may have sent: they are
// strict, allocate no more than a small multiple of what they were given, and
// never panic. A frame of an unknown type is skipped, so that a later version
// may add some.
package wire
