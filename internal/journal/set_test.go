package journal

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func issue(t *testing.T, s *Set, now int64, d Draft) Entry {
	t.Helper()
	if d.Kind == 0 {
		d.Kind = KindPurge
	}
	e, err := s.Issue(now, d)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func want(t *testing.T, got, want Outcome) {
	t.Helper()
	if got != want {
		t.Fatalf("%v, want %v", got, want)
	}
}

func all(s *Set) []Range {
	var ranges []Range
	v := s.Vector()
	for _, i := range v.Incarnations() {
		ranges = appendRange(ranges, i, v[i].Known())
	}
	return ranges
}

func TestIssueIsGapFreeAndEntersVectorsWithTheFirst(t *testing.T) {
	s := NewSet(inc(1), Limits{})
	if len(s.Vector()) != 0 {
		t.Error("an incarnation that issued nothing has a row")
	}
	for seq := uint64(1); seq <= 3; seq++ {
		if e := issue(t, s, start, Draft{}); e.ID != id(1, seq) {
			t.Errorf("issued %v", e.ID)
		}
	}
	if row := s.Vector()[inc(1)]; row.Head != 3 || row.Floor != 0 {
		t.Errorf("%+v", row)
	}
	for _, d := range []Draft{{}, {Kind: KindPurge, Body: make([]byte, MaxBody+1)}} {
		if _, err := s.Issue(start, d); !errors.Is(err, ErrBadEntry) {
			t.Errorf("%v", err)
		}
	}
	if _, n := s.Own(); n != 3 {
		t.Errorf("a refused draft took number %d", n)
	}
}

func TestLargestPurgeFits(t *testing.T) {
	keys := strings.Repeat("k", 256*(1024+2))
	if e := entry(1, 1, keys); e.Validate() != nil {
		t.Error(e.Validate())
	}
}

func TestAcceptOnceInAnyOrder(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	for _, seq := range []uint64{3, 1, 5, 2} {
		want(t, s.Accept(start, entry(1, seq, "x")), Accepted)
		want(t, s.Accept(start, entry(1, seq, "x")), Known)
	}
	if row := s.Vector()[inc(1)]; row.Head != 3 || len(row.Above) != 1 || row.Above[0] != (Span{5, 5}) {
		t.Errorf("%+v", row)
	}
}

func TestWhatIsIssuedSharesNoMemory(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	body := []byte("before")
	issue(t, s, start, Draft{Body: body})
	copy(body, "after!")
	if got := s.Supply(Request{Ranges: all(s)}).Entries; string(got[0].Body) != "before" {
		t.Errorf("kept %q", got[0].Body)
	}
}

func TestTooScatteredIsRefusedUntilTheGapCloses(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	for i := range uint64(MaxAbove) {
		want(t, s.Accept(start, entry(1, 3+2*i, "")), Accepted)
	}
	far := entry(1, 1000, "")
	want(t, s.Accept(start, far), RefusedScattered)
	want(t, s.Accept(start, entry(1, 4, "")), Accepted) // joins two spans
	want(t, s.Accept(start, far), Accepted)
	want(t, s.Accept(start, entry(1, 1, "")), Accepted)
}

func TestRetentionCountsFromArrival(t *testing.T) {
	s := NewSet(inc(9), Limits{Retention: time.Hour})
	old := entry(1, 1, "")
	old.Time = start - 10*day
	want(t, s.Accept(start, old), Accepted)
	want(t, s.Accept(start+30*minute, entry(1, 2, "")), Accepted)
	s.Trim(start + hour - 1)
	if u := s.Usage(); u.Entries != 2 {
		t.Errorf("kept %d before their time", u.Entries)
	}
	s.Trim(start + hour)
	if row := s.Vector()[inc(1)]; row.Floor != 1 || row.Head != 2 {
		t.Errorf("%+v", row)
	}
	s.Trim(start + 2*hour)
	if u := s.Usage(); u.Entries != 0 || u.Bytes != 0 || u.Rows != 1 {
		t.Errorf("left: %+v", u)
	}
	want(t, s.Accept(start+2*hour, entry(1, 1, "")), Known)
}

func TestRetentionBySize(t *testing.T) {
	s := NewSet(inc(9), Limits{Bytes: 10 * (entryOverhead + 100)})
	for seq := range uint64(50) {
		s.Accept(start, entry(1, seq+1, strings.Repeat("x", 100)))
		if s.Usage().Bytes > s.limits.Bytes {
			t.Fatalf("%+v", s.Usage())
		}
	}
	if row := s.Vector()[inc(1)]; row.Floor != 40 || s.Usage().Entries != 10 {
		t.Errorf("%+v, %+v", row, s.Usage())
	}
}

func TestRetentionOutlivesAClockThatWasAhead(t *testing.T) {
	s := NewSet(inc(9), Limits{Retention: time.Hour})
	for seq := range uint64(2) {
		e := entry(1, seq+1, "")
		e.Time = start + 3650*day
		want(t, s.Accept(e.Time, e), Accepted)
	}
	s.Trim(start) // the clock was set right
	if s.Usage().Entries != 2 {
		t.Error("dropped at once")
	}
	s.Trim(start + hour)
	if s.Usage().Entries != 0 {
		t.Error("kept for ten years")
	}
}

func TestRowsOutliveTheirEntriesByAMonth(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	want(t, s.Accept(start, entry(1, 1, "")), Accepted)
	s.Trim(start + 31*day)
	want(t, s.Accept(start+31*day, entry(1, 1, "")), Known)
	s.Trim(start + 31*day + 1)
	if u := s.Usage(); u != (Usage{}) {
		t.Errorf("left: %+v", u)
	}
	late := start + 31*day + 1
	want(t, s.Accept(late, entry(1, 1, "")), RefusedAncient)
	want(t, s.Accept(late, entry(2, 1, "")), RefusedAncient)
	fresh := entry(1, 2, "")
	fresh.Time = late
	want(t, s.Accept(late, fresh), Accepted)
}

func TestAncientRowsAreNoGap(t *testing.T) {
	peer := Vector{inc(1): {Floor: 7, Head: 7, Newest: start}}
	s := NewSet(inc(9), Limits{})
	d := Compare(s.Vector(), peer, s.Horizon(start+31*day+1))
	if len(d.Gone) > 0 || len(d.Ancient) != 1 {
		t.Errorf("%+v", d)
	}
	if d = Compare(s.Vector(), peer, s.Horizon(start+30*day)); CountOf(d.Gone) != 7 {
		t.Errorf("%+v", d)
	}
}

func TestAClockThatIsAheadKeepsNoRowForYears(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	ahead := entry(1, 1, "")
	ahead.Time = start + 3650*day
	s.Accept(start, ahead)
	if row := s.Vector()[inc(1)]; row.Newest > start+2*day {
		t.Error("a clock years ahead keeps a row for years")
	}
}

func TestRowsAreBounded(t *testing.T) {
	s := NewSet(Incarnation{15: 1}, Limits{})
	name := func(i int) Incarnation { return Incarnation{1, byte(i >> 16), byte(i >> 8), byte(i)} }
	accept := func(i int) Outcome {
		return s.Accept(start, &Entry{ID: ID{name(i), 1}, Kind: 1, Time: start + int64(i)})
	}
	for i := range MaxRows - 1 {
		want(t, accept(i), Accepted)
	}
	want(t, accept(MaxRows), RefusedFull)
	issue(t, s, start, Draft{}) // the own row has its place
	s.Trim(start + 2*day)
	want(t, accept(MaxRows), Accepted)
	if s.Usage().Rows > MaxRows {
		t.Errorf("%d rows", s.Usage().Rows)
	}
	// What had to go is not taken for a gap when a peer still has it.
	d := Compare(s.Vector(), Vector{name(0): {Floor: 1, Head: 1, Newest: start}}, s.Horizon(start))
	if len(d.Gone) > 0 {
		t.Error("a forgotten row looks like a gap")
	}
}

func TestAdoptTakesHeadsAsFloors(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	s.Adopt(start, Vector{inc(1): {Head: 5, Above: Spans{{8, 8}}, Newest: start}, inc(9): {Head: 3, Newest: start}})
	row := s.Vector()[inc(1)]
	if row.Floor != 5 || row.Head != 5 || row.Knows(8) || s.Knows(id(9, 1)) {
		t.Errorf("%+v", s.Vector())
	}
	want(t, s.Accept(start, entry(1, 8, "")), Accepted)
}

func TestConcedeClosesAGap(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	s.Accept(start, entry(1, 1, ""))
	peer := Vector{inc(1): {Floor: 4, Head: 6, Newest: start}, inc(2): {Floor: 2, Head: 2, Newest: start}}
	d := Compare(s.Vector(), peer, 0)
	done := s.Concede(start, d.Gone, func(i Incarnation) int64 { return peer[i].Newest })
	if CountOf(done) != 5 {
		t.Errorf("conceded %v of %v", done, d.Gone)
	}
	d = Compare(s.Vector(), peer, 0)
	if len(d.Gone) > 0 || CountOf(d.Want) != 2 {
		t.Errorf("left: %+v", d)
	}
	if got := s.Vector()[inc(1)]; got.Floor != 4 {
		t.Errorf("%+v: claims to supply what it never had", got)
	}
}

func TestClonesRetire(t *testing.T) {
	a := NewSet(inc(1), Limits{})
	issue(t, a, start, Draft{Body: []byte("common")})
	// A copy of the running node goes on as the same incarnation.
	b := NewSet(inc(1), Limits{})
	issue(t, b, start, Draft{Body: []byte("common")})
	issue(t, b, start, Draft{Body: []byte("b2")})
	if !a.Cloned(b.Vector()) || b.Cloned(a.Vector()) {
		t.Error("the wrong one believes that it was cloned")
	}
	e := *entry(1, 2, "b2")
	want(t, a.Accept(start, &e), OwnAhead)
	again := a.Retire(inc(3))
	if len(again) != 2 || string(again[1].Body) != "common" {
		t.Errorf("to be issued anew: %v", again)
	}
	want(t, a.Accept(start, &e), Accepted)
	told := issue(t, a, start, again[0])
	if told.ID != id(3, 1) || !b.Disputed(&told) || a.Disputed(&told) {
		t.Errorf("the other is not told: %v", told)
	}
}

func TestConflictIsNoticed(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	want(t, s.Accept(start, entry(1, 1, "one")), Accepted)
	want(t, s.Accept(start, entry(1, 1, "other")), Conflict)
	if !Conflict.Apply() || Conflict.New() {
		t.Error("a conflicting entry is to be applied and cannot be recorded")
	}
}

func TestUnknownKindsAreKeptAndPassedOn(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	e := entry(1, 1, "of the future")
	e.Kind, e.Extra = 4711, []byte("more")
	want(t, s.Accept(start, e), Accepted)
	got := s.Supply(Request{Ranges: all(s)}).Entries
	if len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(*e) {
		t.Errorf("%v", got)
	}
}

func TestSupplyWithinLimits(t *testing.T) {
	s := NewSet(inc(1), Limits{})
	for range 10 {
		issue(t, s, start, Draft{Body: make([]byte, 100)})
	}
	for _, c := range []struct {
		r    Request
		n    int
		more bool
	}{
		{Request{}, 10, false},
		{Request{Entries: 3}, 3, true},
		{Request{Bytes: 250}, 2, true},
		{Request{Bytes: 1}, 1, true},
	} {
		c.r.Ranges = all(s)
		if got := s.Supply(c.r); len(got.Entries) != c.n || got.More != c.more {
			t.Errorf("%d, more %v; want %d, %v", len(got.Entries), got.More, c.n, c.more)
		}
	}
}

func always(*Entry) bool { return true }

func TestALaggingPeerNeedsOneOfIdenticalEntries(t *testing.T) {
	s := NewSet(inc(1), Limits{})
	for i := range 20 {
		issue(t, s, start, Draft{Same: uint64(7 + i%2), Body: []byte("purge")})
	}
	issue(t, s, start, Draft{Body: []byte("another")})
	got := s.Supply(Request{Ranges: all(s), MayCover: always})
	bodies := 0
	peer := NewSet(inc(2), Limits{})
	for i := range got.Entries {
		if o := peer.Accept(start, &got.Entries[i]); !o.New() {
			t.Fatalf("%v: %v", got.Entries[i].ID, o)
		}
		if len(got.Entries[i].Body) > 0 {
			bodies++
		}
	}
	if bodies != 3 || peer.Vector()[inc(1)].Head != 21 {
		t.Errorf("%d bodies, %+v", bodies, peer.Vector()[inc(1)])
	}
	// It can pass on what it has to a third, piece by piece.
	third := NewSet(inc(3), Limits{})
	for third.Vector()[inc(1)].Head != 21 {
		d := Compare(third.Vector(), peer.Vector(), 0)
		for _, e := range peer.Supply(Request{Ranges: d.Want, Entries: 4}).Entries {
			third.Accept(start, &e)
		}
	}
	if bodies := countBodies(third); bodies != 3 {
		t.Errorf("the third has %d bodies", bodies)
	}
}

func countBodies(s *Set) int {
	n := 0
	s.Each(func(_ int64, e *Entry) {
		if len(e.Body) > 0 {
			n++
		}
	})
	return n
}

func TestNothingCoversThatMayBeTakenBack(t *testing.T) {
	s := NewSet(inc(1), Limits{})
	for range 3 {
		issue(t, s, start, Draft{Same: 7, Body: []byte("purge")})
	}
	got := s.Supply(Request{Ranges: all(s), MayCover: func(e *Entry) bool { return e.Seq < 3 }})
	bodies := map[uint64]bool{}
	for _, e := range got.Entries {
		bodies[e.Seq] = len(e.Body) > 0
	}
	if bodies[1] || !bodies[2] || !bodies[3] {
		t.Errorf("%v", bodies)
	}
}

func TestCoveredNeedsWhatCoversIt(t *testing.T) {
	s := NewSet(inc(9), Limits{})
	covered := &Entry{ID: id(1, 1), Kind: KindPurge, Time: start, By: 5}
	want(t, s.Accept(start, covered), RefusedUncovered)
	want(t, s.Accept(start, entry(1, 5, "x")), Accepted)
	want(t, s.Accept(start, covered), Covered)
	want(t, s.Accept(start, entry(1, 1, "full")), Known)
}
