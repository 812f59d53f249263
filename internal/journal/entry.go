package journal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Limits of an entry, in bytes.
const (
	// MaxBody is the longest body. A purge of 256 surrogate keys of 1,024 bytes
	// takes 257 KiB with the lengths of its keys; twice that leaves room for
	// selectors with more text to them.
	MaxBody = 512 << 10
	// MaxExtra is the longest part that a later version may append to an entry.
	MaxExtra = 4 << 10
)

// Kind says what an entry's body is. Kinds are open-ended: a node keeps and
// passes on kinds that it does not know, so that versions may be mixed during
// a rolling upgrade. 0 is no kind.
type Kind uint32

// Kinds known today. Their numbers are on the wire and on disk: none is ever
// changed or used again.
const (
	KindPurge       Kind = 1 // withdraw
	KindRevert      Kind = 2 // take a purge back
	KindTokenCreate Kind = 3
	KindTokenRevoke Kind = 4
	KindMemberJoin  Kind = 5 // the roster gains a member
	KindMemberLeave Kind = 6 // a member says that it goes for good
	KindForget      Kind = 7 // an operator removes a member that will not come back
	// KindRetire says that more than one node issued as an incarnation, which is
	// the body. It concerns the journal alone: see Set.Retire.
	KindRetire Kind = 8
)

func (k Kind) String() string {
	switch k {
	case KindPurge:
		return "purge"
	case KindRevert:
		return "revert"
	case KindTokenCreate:
		return "token create"
	case KindTokenRevoke:
		return "token revoke"
	case KindMemberJoin:
		return "member join"
	case KindMemberLeave:
		return "member leave"
	case KindForget:
		return "member forget"
	case KindRetire:
		return "retire"
	}
	return "kind " + strconv.FormatUint(uint64(k), 10)
}

// ID names an entry everywhere and for ever. Seq counts from 1 without gaps in
// each incarnation.
type ID struct {
	Incarnation Incarnation
	Seq         uint64
}

func (id ID) String() string {
	return id.Incarnation.String() + "/" + strconv.FormatUint(id.Seq, 10)
}

// Entry is one act, as its issuer recorded it. It never changes, but for one
// thing: its body may be left out where a later entry covers it.
type Entry struct {
	ID
	Kind Kind
	Time int64 // the issuer's wall clock, milliseconds of Unix time
	// Same marks entries that repeat each other: of two entries of one
	// incarnation with one kind and one Same, which is not 0, carrying out the
	// later does all that carrying out both would. A hash of what a hard purge
	// names does; a soft purge with a ttl must have 0, since an earlier one is
	// stricter. Only the issuer decides; 0: repeats nothing.
	Same uint64
	// By, if not 0, is the sequence number of the later entry of the same
	// incarnation that covers this one, which then has no body and no effect of
	// its own. Whoever has applied the later one has done what this asked for:
	// whatever is fetched after that is fetched after both were issued.
	By   uint64
	Body []byte
	// Extra is what a later version appended. It is kept and passed on as it is.
	Extra []byte
}

// ErrBadEntry is wrapped by what Validate returns.
var ErrBadEntry = errors.New("bad journal entry")

// Validate returns an error that wraps ErrBadEntry for an entry that no node
// may issue, keep or pass on.
func (e *Entry) Validate() error {
	switch {
	case e.Incarnation.IsZero():
		return fmt.Errorf("%w: no incarnation", ErrBadEntry)
	case e.Seq == 0:
		return fmt.Errorf("%w: sequence number 0", ErrBadEntry)
	case e.Kind == 0:
		return fmt.Errorf("%w: no kind", ErrBadEntry)
	case len(e.Body) > MaxBody:
		return fmt.Errorf("%w: a body of %d bytes; the limit is %d", ErrBadEntry, len(e.Body), MaxBody)
	case len(e.Extra) > MaxExtra:
		return fmt.Errorf("%w: %d further bytes; the limit is %d", ErrBadEntry, len(e.Extra), MaxExtra)
	case e.By != 0 && e.By <= e.Seq:
		return fmt.Errorf("%w: covered by entry %d, which is not later", ErrBadEntry, e.By)
	case e.By != 0 && len(e.Body) > 0:
		return fmt.Errorf("%w: covered, and yet with a body", ErrBadEntry)
	}
	return nil
}

// agrees tells whether two entries of one ID can both be what its issuer
// issued. A covered one says too little to contradict.
func (e *Entry) agrees(o *Entry) bool {
	if e.By != 0 || o.By != 0 {
		return true
	}
	return e.Kind == o.Kind && e.Time == o.Time && e.Same == o.Same &&
		bytes.Equal(e.Body, o.Body) && bytes.Equal(e.Extra, o.Extra)
}

// Clone returns an entry that shares no memory with e.
func (e *Entry) Clone() Entry {
	c := *e
	c.Body, c.Extra = slices.Clone(e.Body), slices.Clone(e.Extra)
	return c
}

// entryOverhead is what an entry costs in memory besides its body: its fields,
// its place in the order of arrival, and what the allocator adds.
const entryOverhead = 192

func (e *Entry) size() int { return entryOverhead + len(e.Body) + len(e.Extra) }
