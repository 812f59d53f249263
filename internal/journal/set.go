package journal

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// Times of a Set.
const (
	// Life is how long a row outlives its newest entry, by the issuer's clock:
	// 30 days after the last entry has gone by the default retention. A node
	// that has forgotten an incarnation refuses entries of that age, so it
	// applies nothing twice; a node that was away for longer than this and
	// comes back with entries of then disturbs nobody. The price is that clocks
	// must be right to within weeks: whoever sees refusals for age should compare
	// them.
	Life = 31 * 24 * time.Hour
	// DefaultRetention is how long entries are kept for those who lack them.
	// A node that was away for longer drops what it had stored instead.
	DefaultRetention = 24 * time.Hour
	// MaxRetention bounds Retention: rows must outlive their entries by weeks.
	MaxRetention = 7 * 24 * time.Hour
	// DefaultRetentionBytes bounds the memory, and about the disk space, of
	// kept entries: half a million purges of ordinary size.
	DefaultRetentionBytes = 128 << 20
	// maxAhead is how far another's clock may be ahead of ours before we count
	// its entries as if it were not: a clock that is years ahead must not keep
	// rows for years.
	maxAhead = 24 * time.Hour
)

// Limits of a Set. The zero value is usable.
type Limits struct {
	Retention time.Duration // from local arrival; 0: DefaultRetention, at most MaxRetention
	Bytes     int           // of kept entries, in memory; 0: DefaultRetentionBytes
}

// Set is what a node knows, and the entries that it keeps for others. It is
// not for more than one goroutine at a time. Times are in milliseconds of Unix
// time and come from the caller.
type Set struct {
	limits   Limits
	own      Incarnation
	issued   uint64 // by own
	evicted  int64  // newest of the rows that had to go before their time
	rows     map[Incarnation]*slot
	arrivals queue
	bytes    int
	kept     int
}

// slot is a row and its entries in order of sequence number, each greater than
// the floor and known.
type slot struct {
	inc Incarnation
	Row
	kept []Entry
}

// NewSet returns an empty set whose entries will be issued by an incarnation
// that has issued nothing.
func NewSet(own Incarnation, limits Limits) *Set {
	if limits.Retention <= 0 {
		limits.Retention = DefaultRetention
	}
	limits.Retention = min(limits.Retention, MaxRetention)
	if limits.Bytes <= 0 {
		limits.Bytes = DefaultRetentionBytes
	}
	return &Set{limits: limits, own: own, rows: make(map[Incarnation]*slot)}
}

// Own returns the incarnation that issues, and how many entries it has issued.
func (s *Set) Own() (inc Incarnation, issued uint64) { return s.own, s.issued }

// Knows tells whether an entry has been accepted.
func (s *Set) Knows(id ID) bool {
	sl := s.rows[id.Incarnation]
	return sl != nil && sl.Knows(id.Seq)
}

// Vector returns a copy of what is known.
func (s *Set) Vector() Vector {
	v := make(Vector, len(s.rows))
	for inc, sl := range s.rows {
		v[inc] = sl.Row
	}
	return v
}

// Horizon returns the time before which entries of unknown incarnations are
// refused.
func (s *Set) Horizon(now int64) int64 { return max(now-Life.Milliseconds(), s.evicted) }

// Draft is an entry to be issued: its Kind, Same, Body and Extra, as in Entry.
type Draft struct {
	Kind  Kind
	Same  uint64
	Body  []byte
	Extra []byte
}

// ErrFull is returned by Issue when the own incarnation would need one row more
// than MaxRows and every row still has entries.
var ErrFull = errors.New("journal: too many incarnations have entries; retry when the oldest have expired")

// Issue makes a draft the next entry of the own incarnation and keeps it. The
// error wraps ErrBadEntry or is ErrFull; nothing is issued then. The entry
// shares no memory with the draft.
func (s *Set) Issue(now int64, d Draft) (Entry, error) {
	e := Entry{
		ID:   ID{s.own, s.issued + 1},
		Kind: d.Kind, Same: d.Same, Time: now, Body: d.Body, Extra: d.Extra,
	}
	if err := e.Validate(); err != nil {
		return Entry{}, err
	}
	e = e.Clone()
	sl := s.rows[s.own]
	if sl == nil {
		if !s.makeRoom(MaxRows) {
			return Entry{}, ErrFull
		}
		sl = s.open(s.own)
	}
	s.issued = e.Seq
	s.record(sl, now, e)
	return e, nil
}

// Accept takes an entry that another node issued. If it is new, its memory
// belongs to the Set: one that lies in a buffer is to be cloned first, which one
// that is known need not be.
func (s *Set) Accept(now int64, e *Entry) Outcome {
	if e.Validate() != nil {
		return RefusedInvalid
	}
	if e.Incarnation == s.own && e.Seq > s.issued {
		return OwnAhead
	}
	sl := s.rows[e.Incarnation]
	switch {
	case sl != nil && sl.Knows(e.Seq):
		if old := sl.find(e.Seq); old != nil && !old.agrees(e) {
			return Conflict
		}
		return Known
	case sl == nil && e.Time < s.Horizon(now):
		return RefusedAncient
	case e.By != 0 && (sl == nil || !sl.Knows(e.By)):
		return RefusedUncovered
	case sl == nil && !s.makeRoom(MaxRows-1):
		return RefusedFull
	case sl == nil:
		sl = s.open(e.Incarnation)
	case !sl.fits(e.Seq):
		return RefusedScattered
	}
	s.record(sl, now, *e)
	if e.By != 0 {
		return Covered
	}
	return Accepted
}

// fits tells whether an unknown entry can be made known within MaxAbove.
func (sl *slot) fits(seq uint64) bool {
	return len(sl.Above) < MaxAbove || seq == sl.Head+1 ||
		sl.Above.Has(seq-1) || sl.Above.Has(seq+1)
}

func (s *Set) open(inc Incarnation) *slot {
	sl := &slot{inc: inc}
	s.rows[inc] = sl
	return sl
}

// record makes an entry known and keeps it, if it could be supplied.
func (s *Set) record(sl *slot, now int64, e Entry) {
	if !sl.Knows(e.Seq) {
		sl.add(e.Seq)
	}
	sl.Newest = max(sl.Newest, min(e.Time, now+maxAhead.Milliseconds()))
	if e.Seq <= sl.Floor {
		return
	}
	sl.insert(e)
	s.bytes += e.size()
	s.kept++
	s.arrivals.push(arrival{slot: sl, seq: e.Seq, at: now})
	s.shrink()
}

func bySeq(e Entry, seq uint64) int { return cmp.Compare(e.Seq, seq) }

func (sl *slot) insert(e Entry) {
	if n := len(sl.kept); n == 0 || sl.kept[n-1].Seq < e.Seq {
		sl.kept = append(sl.kept, e)
		return
	}
	i, _ := slices.BinarySearchFunc(sl.kept, e.Seq, bySeq)
	sl.kept = slices.Insert(sl.kept, i, e)
}

// find returns a kept entry, or nil.
func (sl *slot) find(seq uint64) *Entry {
	if i, ok := slices.BinarySearchFunc(sl.kept, seq, bySeq); ok {
		return &sl.kept[i]
	}
	return nil
}

// Usage is how much a Set holds.
type Usage struct {
	Rows    int // incarnations
	Entries int // kept
	Bytes   int // of kept entries, in memory
}

// Usage returns the present sizes.
func (s *Set) Usage() Usage { return Usage{Rows: len(s.rows), Entries: s.kept, Bytes: s.bytes} }
