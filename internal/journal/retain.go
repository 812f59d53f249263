package journal

import "slices"

// arrival is one entry in the order in which entries came.
type arrival struct {
	slot *slot
	seq  uint64
	at   int64
}

// queue holds arrivals, oldest first.
type queue struct {
	items []arrival
	head  int    // items before it are gone
	gone  uint64 // how many went, ever
}

func (q *queue) push(a arrival) { q.items = append(q.items, a) }

// notAfter brings back arrivals of the future: a clock that was wrong and was
// set back must not keep entries for years.
func (q *queue) notAfter(now int64) {
	for i := range q.items[q.head:] {
		a := &q.items[q.head+i]
		a.at = min(a.at, now)
	}
}

func (q *queue) first() (arrival, bool) {
	if q.head == len(q.items) {
		return arrival{}, false
	}
	return q.items[q.head], true
}

// pop removes the first and gives memory back once half is unused.
func (q *queue) pop() {
	q.items[q.head] = arrival{}
	q.head++
	q.gone++
	if q.head >= 1024 && q.head*2 >= len(q.items) {
		q.items, q.head = slices.Clone(q.items[q.head:]), 0
	}
}

// Trim drops the entries whose retention is over, and the rows whose newest
// entry is older than Life. Dropping an entry raises its row's floor: what
// arrived later with a lesser number goes with it.
func (s *Set) Trim(now int64) {
	s.forget(s.Horizon(now))
	if a, ok := s.arrivals.first(); ok && a.at > now {
		s.arrivals.notAfter(now)
	}
	expired := now - s.limits.Retention.Milliseconds()
	s.dropWhile(func(a arrival) bool { return a.at <= expired })
}

// shrink drops the oldest entries past the byte limit.
func (s *Set) shrink() {
	s.dropWhile(func(arrival) bool { return s.bytes > s.limits.Bytes })
}

// dropWhile drops entries in the order of their arrival.
func (s *Set) dropWhile(old func(arrival) bool) {
	for {
		a, ok := s.arrivals.first()
		gone := ok && a.seq <= a.slot.Floor // dropped already, by its number
		if !ok || !gone && !old(a) {
			return
		}
		s.raise(a.slot, a.seq)
		s.arrivals.pop()
	}
}

// Arrivals returns how many entries have been kept since the Set was made, and
// how many of those, oldest first, have been dropped: what has the first number
// on disk is needed until the second reaches it.
func (s *Set) Arrivals() (kept, dropped uint64) {
	return s.arrivals.gone + uint64(len(s.arrivals.items)-s.arrivals.head), s.arrivals.gone
}

// forget drops rows with all that is kept of them.
func (s *Set) forget(horizon int64) {
	for inc, sl := range s.rows {
		if sl.Newest < horizon && inc != s.own {
			s.remove(sl)
		}
	}
}

func (s *Set) remove(sl *slot) {
	s.raise(sl, max(sl.Floor, sl.Top()))
	delete(s.rows, sl.inc)
}

// raise moves a row's floor up and drops what is kept below it.
func (s *Set) raise(sl *slot, floor uint64) {
	if floor <= sl.Floor {
		return
	}
	sl.Floor = floor
	n, found := slices.BinarySearchFunc(sl.kept, floor, bySeq)
	if found {
		n++
	}
	for i := range sl.kept[:n] {
		s.bytes -= sl.kept[i].size()
		sl.kept[i] = Entry{} // let its body go
	}
	s.kept -= n
	if sl.kept = sl.kept[n:]; len(sl.kept) == 0 {
		sl.kept = nil
	}
}

// makeRoom tells whether one more row fits, with one kept free of others for
// the own incarnation. If none does, it forgets the row
// without entries whose newest is the oldest, and refuses its like from now on:
// otherwise each peer that still has the row would seem to know what we lack.
func (s *Set) makeRoom(most int) bool {
	if len(s.rows) < most {
		return true
	}
	var oldest *slot
	for inc, sl := range s.rows {
		if len(sl.kept) == 0 && inc != s.own && (oldest == nil || sl.Newest < oldest.Newest) {
			oldest = sl
		}
	}
	if oldest == nil {
		return false
	}
	s.evicted = max(s.evicted, oldest.Newest+1)
	s.remove(oldest)
	return true
}

// Adopt makes everything known that a peer has up to its heads, without having
// it: the heads become floors. It is for a node that has nothing stored, so
// that nothing it missed can matter. Entries above the heads remain to be
// fetched.
func (s *Set) Adopt(now int64, peer Vector) {
	for _, inc := range peer.Incarnations() {
		s.adopt(now, inc, peer[inc])
	}
}

func (s *Set) adopt(now int64, inc Incarnation, row Row) {
	if row.Head == 0 || inc == s.own {
		return
	}
	if s.take(now, inc, Spans{{1, row.Head}}, row.Newest) {
		s.raise(s.rows[inc], row.Head)
	}
}

// Concede makes entries known that nobody can supply any more, and returns
// those conceded. It is the outcome of a gap: before it, the caller drops
// whatever it had stored, since the missing entries may have withdrawn it.
// newest is the time of the rows' newest entries by a peer's vector. Spans for
// which a row has no place (MaxAbove, MaxRows) are left for later.
func (s *Set) Concede(now int64, gap []Range, newest func(Incarnation) int64) []Range {
	var done []Range
	for _, r := range gap {
		if r.Incarnation == s.own || len(r.Spans) == 0 {
			continue
		}
		if s.take(now, r.Incarnation, r.Spans, newest(r.Incarnation)) {
			s.raise(s.rows[r.Incarnation], r.Spans[len(r.Spans)-1].Last)
			done = append(done, r)
		}
	}
	return done
}

// take makes spans known, if the row has a place for them.
func (s *Set) take(now int64, inc Incarnation, spans Spans, newest int64) bool {
	sl := s.rows[inc]
	if sl == nil {
		if newest < s.Horizon(now) || !s.makeRoom(MaxRows-1) {
			return false
		}
		sl = &slot{inc: inc}
	}
	row := sl.with(spans)
	if len(row.Above) > MaxAbove {
		return false
	}
	row.Newest = max(row.Newest, min(newest, now+maxAhead.Milliseconds()))
	sl.Row = row
	s.rows[inc] = sl
	return true
}

// Each calls do with every kept entry and the time at which it arrived, oldest
// first. do must not change the Set or keep the entry.
func (s *Set) Each(do func(arrived int64, e *Entry)) {
	for _, a := range s.arrivals.items[s.arrivals.head:] {
		if e := a.slot.find(a.seq); e != nil {
			do(a.at, e)
		}
	}
}
