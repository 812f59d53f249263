package purge

import (
	"fmt"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

const second = int64(time.Second)

// spread returns distinct tags that fall all over the table.
func spread(n int) field.Tag { return field.Tag(uint64(n+1) * 0x9e3779b97f4a7c15) }

func spreadTags(from, n int) Tags {
	tags := make(Tags, n)
	for i := range tags {
		tags[i] = spread(from + i)
	}
	return tags
}

// rig is an engine with one service and a clock.
type rig struct {
	*Engine
	t   testing.TB
	s   *Service
	now int64
}

func newRig(t testing.TB, cfg Config) *rig {
	e := NewEngine(cfg)
	return &rig{Engine: e, t: t, s: e.Service("shop"), now: 1000 * second}
}

func (r *rig) apply(effect Effect, tags ...field.Tag) ID {
	r.t.Helper()
	id := NewID(r.now / 1e6)
	if a := r.Apply(r.now, Purge{ID: id, Service: "shop", Tags: tags, Effect: effect}); a.Known || a.Void {
		r.t.Fatalf("a new purge: %+v", a)
	}
	return id
}

func (r *rig) state(stamp field.Position, tags ...field.Tag) State {
	return r.s.Judge(Tags(tags), stamp, at(2000, 100, 100, 100)).State
}

func (r *rig) expect(what string, want State, stamp field.Position, tags ...field.Tag) {
	r.t.Helper()
	if got := r.state(stamp, tags...); got != want {
		r.t.Errorf("%s: the object is %v, want %v", what, got, want)
	}
}

func TestAPurgeTakesWhatBeganBeforeIt(t *testing.T) {
	r := newRig(t, Config{Start: 1 << 40})
	before := r.s.Position()
	id := r.apply(Effect{}, 7, 9)
	after := r.s.Position()
	if before != 1<<40 || after != before+1 {
		t.Errorf("positions %d and %d", before, after)
	}
	r.expect("fetched before", Withdrawn, before, 1, 9)
	r.expect("fetched after", Live, after, 1, 9)
	r.expect("with other tags", Live, before, 1, 8)
	r.expect("without tags", Live, before)
	if v := r.s.Judge(Tags{7}, before, at(2000, 0, 0, 0)); v.By != id || v.UpTo != after || v.Times != (field.Times{}) {
		t.Errorf("the verdict is %+v", v)
	}
	if other := r.Service("news"); other.Judge(Tags{7, 9}, before, field.Times{}).State != Live || other.Position() != after {
		t.Error("another service is concerned, or behind")
	}
}

func TestTheSamePurgeCountsOnceAndAnIdenticalOneAgain(t *testing.T) {
	r := newRig(t, Config{})
	p := Purge{ID: NewID(1), Service: "shop", Tags: []field.Tag{5, 5, 5}}
	first := r.Apply(r.now, p)
	fetched := r.s.Position()
	if again := r.Apply(r.now, p); !again.Known || again.Position != first.Position || r.s.Position() != fetched {
		t.Errorf("the same purge again: %+v after %+v", again, first)
	}
	r.expect("fetched between two deliveries", Live, fetched, 5)
	p.ID = NewID(1)
	if a := r.Apply(r.now, p); a.Known || a.Position <= first.Position {
		t.Errorf("an identical purge: %+v", a)
	}
	r.expect("fetched between two purges", Withdrawn, fetched, 5)
	if st := r.Stats(); st.Applied != 2 || st.Marks != 1 {
		t.Errorf("%+v", st)
	}
}

func TestUndoWindow(t *testing.T) {
	for _, c := range []struct {
		window time.Duration
		later  time.Duration
		want   Undo
	}{
		{0, 0, Undone},
		{0, time.Minute - 1, Undone},
		{0, time.Minute, UndoTooLate},
		{5 * time.Second, 5*time.Second - 1, Undone},
		{5 * time.Second, 5 * time.Second, UndoTooLate},
		{-1, 0, UndoTooLate},
	} {
		r := newRig(t, Config{UndoWindow: c.window})
		id := r.apply(Effect{}, 1, 2)
		r.apply(SoftEffect(), 2)
		r.now += int64(c.later)
		if got := r.Revert(r.now, id); got != c.want {
			t.Errorf("window %v, %v later: %v, want %v", c.window, c.later, got, c.want)
			continue
		}
		if c.want == Undone {
			r.expect("undone", Live, 0, 1)
			r.expect("undone, but softened by another", Softened, 0, 2)
			if again := r.Revert(r.now, id); again != UndoneAlready {
				t.Errorf("undone again: %v", again)
			}
		} else {
			r.expect("not undone", Withdrawn, 0, 1)
		}
	}
}

func TestTheWindowMayChange(t *testing.T) {
	r := newRig(t, Config{})
	long := r.apply(Effect{}, 1)
	r.s.SetUndoWindow(time.Second)
	short := r.apply(Effect{}, 2)
	r.now += 59 * second
	// A shorter window holds for purges to come, once those before are final.
	if u := r.Revert(r.now, long); u != Undone {
		t.Errorf("made under the long window: %v", u)
	}
	if u := r.Revert(r.now, short); u != Undone {
		t.Errorf("made after a purge that can still be undone: %v", u)
	}
	r.now += 2 * second
	last := r.apply(Effect{}, 3)
	r.now += 2 * second
	if u := r.Revert(r.now, last); u != UndoTooLate {
		t.Errorf("made under the short window: %v", u)
	}
}

func TestRevertAheadOfItsPurge(t *testing.T) {
	r := newRig(t, Config{})
	p := Purge{ID: NewID(1), Service: "shop", Tags: []field.Tag{1}, All: true}
	if u := r.Revert(r.now, p.ID); u != UndoneAhead {
		t.Fatalf("reverted ahead: %v", u)
	}
	if u := r.Revert(r.now, p.ID); u != UndoneAlready {
		t.Errorf("reverted ahead twice: %v", u)
	}
	a := r.Apply(r.now, p)
	if !a.Void || a.Position != 1 || r.s.Position() != 1 {
		t.Errorf("applied after its revert: %+v", a)
	}
	r.expect("void", Live, 0, 1)
	if g := r.s.Generation(); g != 0 {
		t.Errorf("generation %d of a void purge", g)
	}
	if u := r.Revert(r.now, p.ID); u != UndoneAlready {
		t.Errorf("reverted after all: %v", u)
	}
}

func TestRevertsRememberedAreBounded(t *testing.T) {
	r := newRig(t, Config{})
	first := NewID(1)
	r.Revert(r.now, first)
	for range maxReverted {
		r.Revert(r.now, NewID(1))
	}
	if n := len(r.mu.reverted); n != maxReverted || len(r.mu.order) != n {
		t.Errorf("%d reverts remembered", n)
	}
	if a := r.Apply(r.now, Purge{ID: first, Service: "shop", Tags: []field.Tag{1}}); a.Void {
		t.Error("the oldest is not the one forgotten")
	}
}

func TestGenerationsCountPurgesOfEverything(t *testing.T) {
	r := newRig(t, Config{})
	for range 3 {
		r.Apply(r.now, Purge{ID: NewID(1), Service: "shop", Tags: []field.Tag{1}, All: true})
		r.apply(Effect{}, 2)
	}
	if g, other := r.s.Generation(), r.Service("news").Generation(); g != 3 || other != 0 {
		t.Errorf("generations %d and %d", g, other)
	}
}

// TestManyPurgesOfOneTag holds that a tag's mark stays short, and that what
// merged for it can be undone no more while the rest can.
func TestManyPurgesOfOneTag(t *testing.T) {
	r := newRig(t, Config{})
	var ids []ID
	for i := range maxEntries + 2 {
		ids = append(ids, r.apply(SoftEffect(), 1, spread(i)))
	}
	if m := r.s.marks.get(1); len(m.entries) != maxEntries {
		t.Fatalf("%d entries", len(m.entries))
	}
	want := []Undo{UndoneInPart, UndoneInPart, UndoneInPart, Undone}
	for i, w := range want {
		if u := r.Revert(r.now, ids[i]); u != w {
			t.Errorf("purge %d: %v, want %v", i, u, w)
		}
		r.expect(fmt.Sprintf("by the tag of purge %d alone", i), Live, 0, spread(i))
		r.expect("by the tag of all of them", Softened, 0, 1)
	}
	for _, id := range ids[len(want):] {
		r.Revert(r.now, id)
	}
	r.expect("all undone but what merged", Softened, 0, 1)
	r.expect("fetched after what merged", Live, 3, 1)
	r.now += 61 * second
	r.EndSweep(r.BeginSweep(r.now))
	r.expect("after a sweep", Live, 0, 1)
	if st := r.Stats(); st.Marks != 0 || st.Bytes != 0 {
		t.Errorf("left behind: %+v", st)
	}
}

func TestWhollyMergedIsTooLateToUndo(t *testing.T) {
	r := newRig(t, Config{})
	first := r.apply(Effect{}, 1)
	for range maxEntries {
		r.apply(SoftEffect(), 1)
	}
	if u := r.Revert(r.now, first); u != UndoTooLate {
		t.Errorf("%v", u)
	}
	r.expect("merged with a hard purge", Withdrawn, 0, 1)
}

// TestMergedPurgesKeepTheirPlaces holds that a request that arrived after the
// first of several merged purges shares no fetch from before it, and that one
// that arrived before them all may.
func TestMergedPurgesKeepTheirPlaces(t *testing.T) {
	r := newRig(t, Config{})
	r.apply(Effect{}, 99)
	for range maxEntries + 3 {
		r.apply(SoftEffect(), 1)
	}
	merged := r.s.marks.get(1).entries[0]
	if merged.first != 2 || merged.pos != 5 {
		t.Fatalf("merged from %d to %d", merged.first, merged.pos)
	}
	for upTo := range field.Position(8) {
		if got, want := r.s.Concerned(Tags{1}, 0, upTo), upTo >= 2; got != want {
			t.Errorf("arrived at %d: %v, want %v", upTo, got, want)
		}
	}
	r.expect("fetched between merged purges", Softened, 3, 1)
}

func TestAHardPurgeForGoodAbsorbsWhatItCovers(t *testing.T) {
	r := newRig(t, Config{})
	r.apply(SoftEffect(), 1)
	r.apply(Effect{}, 1)
	r.now += 61 * second
	r.apply(SoftEffect(), 1)
	m := r.s.marks.get(1)
	if len(m.entries) != 2 {
		t.Errorf("%d entries", len(m.entries))
	}
	r.expect("before all", Withdrawn, 0, 1)
	r.expect("before the hard one", Withdrawn, 1, 1)
	r.expect("after the hard one", Softened, 2, 1)
	if !r.s.Concerned(Tags{1}, 0, 1) {
		t.Error("the absorbed purge no longer keeps requests from old fetches")
	}
}

func TestWhoMayShareAFetch(t *testing.T) {
	r := newRig(t, Config{})
	r.apply(Effect{}, 1)     // 1
	r.apply(SoftEffect(), 2) // 2
	for _, c := range []struct {
		tag         field.Tag
		after, upTo field.Position
		want        bool
	}{
		{1, 0, 0, false}, // arrived before the purge too
		{1, 0, 1, true},
		{1, 0, 2, true},
		{1, 1, 2, false}, // fetched after it
		{2, 0, 1, false}, // arrived before this one
		{2, 1, 2, true},  // a soft one counts: the fetch may have brought what was withdrawn
		{3, 0, 2, false},
	} {
		if got := r.s.Concerned(Tags{9, c.tag}, c.after, c.upTo); got != c.want {
			t.Errorf("tag %d, fetched at %d, arrived at %d: %v", c.tag, c.after, c.upTo, got)
		}
	}
}

func TestSettling(t *testing.T) {
	r := newRig(t, Config{})
	own := at(2000, 100, 100, 100)
	settle := func(tags ...field.Tag) Settled { return r.s.Settle(Tags(tags), 0, own, r.now) }
	soft := Effect{Mode: Soft, Grace: 5 * time.Second, Keep: Untouched}
	r.apply(Effect{}, 1)
	r.apply(soft, 2)
	if got := settle(1); got != (Settled{Spare: true, Times: own}) {
		t.Errorf("withdrawn, can be undone: %+v", got)
	}
	if got := settle(2); got != (Settled{Times: own}) {
		t.Errorf("softened, can be undone: %+v", got)
	}
	r.now += 60 * second
	r.apply(Effect{}, 1, 3)
	if got := settle(1); !got.Gone || got.Spare {
		t.Errorf("withdrawn for good, and again: %+v", got)
	}
	if got, want := settle(2).Times, at(1000, 5, 5, 100); got != want {
		t.Errorf("softened for good: %+v, want %+v", got, want)
	}
	if got := settle(2, 3); !got.Spare || got.Times != at(1000, 5, 5, 100) {
		t.Errorf("softened for good, withdrawn for now: %+v", got)
	}
}

func TestWhatAPurgeTouched(t *testing.T) {
	r := newRig(t, Config{})
	soft := r.apply(SoftEffect(), 1)
	hard := r.apply(Effect{}, 1, 2)
	late := r.apply(Effect{}, 2, 3)
	for _, c := range []struct {
		what  string
		tag   field.Tag
		stamp field.Position
		id    ID
		want  bool
	}{
		{"what only it withdrew", 3, 0, late, true},
		{"what it withdrew after another had", 2, 0, late, false},
		{"what was softened before", 1, 0, hard, true},
		{"what it did not concern", 3, 0, hard, false},
		{"what was fetched after it", 1, 2, hard, false},
		{"what it softened and another withdrew", 1, 0, soft, false},
	} {
		if got := r.s.Touched(Tags{c.tag}, c.stamp, c.id); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

func TestIDs(t *testing.T) {
	seen, last := make(map[string]bool), ""
	for range 1000 {
		id := NewID(1_700_000_000_000)
		text := id.String()
		if seen[text] || len(text) != 26 || id.IsZero() || text >= NewID(1_700_000_000_001).String() {
			t.Fatalf("%s is made twice, or does not sort by time", text)
		}
		seen[text], last = true, text
		if back, err := ParseID(text); back != id || err != nil {
			t.Fatalf("%s read back: %v, %v", text, back, err)
		}
	}
	if later := NewID(1_700_000_000_001).String(); later <= last {
		t.Errorf("%s sorts before %s", later, last)
	}
	if NewID(-5).IsZero() {
		t.Error("a clock before 1970 gives no id")
	}
	for _, bad := range []string{"", "x", last + "0", last[1:], "8" + last[1:], last[:25] + "u", last[:25] + "é", "../../../../../../../../.."} {
		if _, err := ParseID(bad); err != ErrBadID {
			t.Errorf("ParseID(%q): %v", bad, err)
		}
	}
}

func TestOutcomesHaveNames(t *testing.T) {
	for _, s := range []fmt.Stringer{Undone, UndoneInPart, UndoneAhead, UndoneAlready, UndoTooLate, Live, Softened, Withdrawn} {
		if s.String() == "" {
			t.Errorf("%#v has no name", s)
		}
	}
}
