package field

// Position counts the journal entries that this node has applied. It only
// grows, is local to the node and is never compared between nodes.
type Position uint64

// Tag is a keyed 64-bit hash of something a purge can name: a host, a URL, a
// path prefix, a surrogate key. The service is part of what is hashed. Two
// things may share a tag; a purge then takes too much, never too little.
type Tag uint64

// Key names all variants of one resource: a keyed 128-bit hash, whose random
// key makes a chosen collision impractical.
type Key [16]byte

// Times are the instants that bound the use of a stored response, in
// nanoseconds of Unix time. Fresh <= SWR, Fresh <= SIE, and both <= Keep.
type Times struct {
	Fresh int64 // fresh until
	SWR   int64 // may be served stale while it is revalidated, until
	SIE   int64 // may be served stale when the origin fails, until
	Keep  int64 // supplies validators for a conditional request, until
}

// Min returns the earlier of each instant.
func (t Times) Min(o Times) Times {
	return Times{
		Fresh: min(t.Fresh, o.Fresh),
		SWR:   min(t.SWR, o.SWR),
		SIE:   min(t.SIE, o.SIE),
		Keep:  min(t.Keep, o.Keep),
	}
}
