package store

import "github.com/rescind-edge/rescind/internal/field"

// Matcher picks the variant that answers a request.
type Matcher interface {
	// MatchVariant tells whether a response with this Head may be chosen for
	// the request (RFC 9111 section 4.1). It must not keep the Head, nor any
	// string of it.
	MatchVariant(h *Head) bool
}

// Gone says why an object left a store; each has its own counter.
type Gone uint8

const (
	Evicted  Gone = iota // for space
	Swept                // withdrawn by a purge
	Expired              // past every time for which it was of use
	Replaced             // by a newer response of the same variant
	Removed              // by its user, with the reason in the user's own books
)

func (g Gone) String() string {
	return [...]string{"evicted", "swept", "expired", "replaced", "removed"}[g]
}

// Stats are a store's counters since its start, and its present size.
type Stats struct {
	Objects int64          // stored now
	Bytes   int64          // in use now: objects, and bodies that are filling or still being read
	Index   int64          // bytes of what finds them; most of it stays when they leave
	Slabs   int64          // bytes that Bytes and Index are parts of, with what lies between: at most Budget
	Budget  int64          // most bytes in use
	Gone    map[Gone]int64 // objects that left, by why
	Stored  int64          // objects put in
	Refused int64          // objects and chunks for which there was no room
}

// Draft is a response to be stored.
type Draft struct {
	Key   field.Key
	Head  *Head // copied
	Body  *Body // whole; nil for an object that only remembers an outcome
	Judge Judge
}

// Store keeps objects. Its methods may be called from many goroutines at once;
// none waits for I/O of another. An object is complete before it is put in:
// whoever asks for a response that is still arriving is served by its fetch.
type Store interface {
	// Get returns the newest object of key that matches, with a reference for
	// the caller, or the zero Object. It does not judge: that is the caller's.
	Get(key field.Key, m Matcher) Object

	// Put makes an object of d visible, and drops what it replaces: the object
	// of the same key and variant, unless that has a greater stamp; then d is
	// not stored. It returns the object with a reference for the caller, or the
	// zero Object where it was not stored. The caller keeps its own reference
	// to the Body, whose bytes are not copied but for small ones. Where there is
	// no room it frees some, dead objects first.
	Put(d Draft) Object

	// Remove drops o if it is still stored. The caller holds it.
	Remove(o Object, why Gone)

	// Walk calls visit for every object, in any order, holding no lock that a
	// look-up waits for. Objects put in meanwhile may be missed; those present
	// throughout are not. It stops where visit returns false. visit may call
	// Remove; it holds the object no longer than it runs.
	Walk(visit func(Object) bool)

	// WalkURL calls visit for the objects whose first tag is tag.
	WalkURL(tag field.Tag, visit func(Object))

	// NewBody returns an empty Body whose bytes count against the budget, with
	// one reference. size is the expected length, -1 where unknown.
	NewBody(size int64) *Body

	Stats() Stats
}
