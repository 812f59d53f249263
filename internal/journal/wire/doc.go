// Package wire is the form of the journal's values as bytes, on the network and
// on disk: batches of entries, vectors, ranges, digests, items of the
// replicated state. It knows nothing of connections, packets, encryption or
// files.
//
// Numbers are varints in their shortest form. Each value has one encoding, and
// the parsers accept no other: what was parsed encodes to the same bytes. They
// allocate no more than a small multiple of what they were given, whatever it
// says, and check the limits of package journal.
//
// # Mixed versions
//
// A message begins with its version. One of another version is refused with
// ErrVersion; so is one that uses a flag that this version does not know. What
// a later version adds without breaking this one it puts into an entry's Extra,
// which is kept and passed on as it came. Entries and items of unknown kinds
// are no different from others here.
package wire
