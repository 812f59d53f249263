package purge

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

var ownTimes = at(2000, 100, 100, 100)

// ban puts a ban in force.
func (r *rig) ban(effect Effect, texts ...string) ID {
	r.t.Helper()
	p := Purge{ID: NewID(r.now / 1e6), Service: "shop", Effect: effect}
	for _, text := range texts {
		s, err := ParseBan(text)
		p.Predicates = append(p.Predicates, compiled(r.t, s, err))
	}
	r.Apply(r.now, p)
	return p.ID
}

func (r *rig) expectPage(what string, want State, after field.Position, o Subject) {
	r.t.Helper()
	if got := r.s.Judge(o, after, ownTimes).State; got != want {
		r.t.Errorf("%s: the object is %v, want %v", what, got, want)
	}
}

func TestAPredicateTakesWhatBeganBeforeIt(t *testing.T) {
	r := newRig(t, Config{})
	found, missing := page("https://h/a", 404), page("https://h/b", 200)
	id := r.ban(Effect{}, "obj.status == 404")
	r.expectPage("matching", Withdrawn, 0, found)
	r.expectPage("fetched after", Live, 1, found)
	r.expectPage("not matching", Live, 0, missing)
	r.expectPage("of which only tags are known", Live, 0, found.Tags)
	r.expectPage("whose head is not known", Live, 0, NewResponse(found.Tags, "https://h/a", 0, nil))
	if v := r.s.Judge(found, 0, ownTimes); v.By != id || v.UpTo != 1 || v.Times != (field.Times{}) {
		t.Errorf("%+v", v)
	}
	absent := newRig(t, Config{})
	absent.ban(Effect{}, "obj.http.x-a !~ b")
	absent.expectPage("whose head is not known, by what it lacks", Live, 0, NewResponse(found.Tags, "https://h/a", 0, nil))
	absent.expectPage("by what it lacks", Withdrawn, 0, found)
	if other := r.Service("news"); other.Judge(found, 0, ownTimes).State != Live {
		t.Error("another service is concerned")
	}
	if u := r.Revert(r.now, id); u != Undone {
		t.Errorf("%v", u)
	}
	r.expectPage("undone", Live, 0, found)
	if st := r.Stats(); st.Predicates != 0 {
		t.Errorf("%+v", st)
	}
}

func TestSoftPredicatesBoundTimes(t *testing.T) {
	r := newRig(t, Config{})
	o := page("https://h/a", 200)
	r.ban(Effect{Mode: Soft, Grace: 5 * time.Second, Keep: Untouched}, "req.url ~ ^/a")
	for range 3 { // a repeat lengthens nothing and shortens nothing
		if v := r.s.Judge(o, 0, ownTimes); v.State != Softened || v.Times != at(1000, 5, 5, 100) {
			t.Errorf("%+v", v)
		}
		r.ban(Effect{Mode: Soft, Grace: 5 * time.Second, Keep: Untouched}, "req.url ~ ^/a")
	}
	r.now += 60 * second
	if got := r.s.Settle(o, 0, ownTimes, r.now); got.Times != at(1000, 5, 5, 100) || got.UpTo != 0 {
		t.Errorf("settled: %+v", got)
	}
}

// TestJoinsAndPredicates holds that a ban of a URL keeps requests from a fetch
// before its head is known, and one of headers once it is.
func TestJoinsAndPredicates(t *testing.T) {
	r := newRig(t, Config{})
	whole := page("https://h/a", 404)
	begun := NewResponse(whole.Tags, "https://h/a", 0, nil)
	r.ban(Effect{}, "req.url ~ ^/a", "req.url ~ ^/b") // 1
	r.ban(Effect{}, "obj.status == 404")              // 2
	for _, c := range []struct {
		o           Subject
		after, upTo field.Position
		want        bool
	}{
		{begun, 0, 0, false}, {begun, 0, 1, true}, {begun, 0, 2, true}, {begun, 1, 2, false},
		{whole, 1, 1, false}, {whole, 1, 2, true}, {whole, 2, 2, false},
	} {
		if got := r.s.Concerned(c.o, c.after, c.upTo); got != c.want {
			t.Errorf("status %d, fetched at %d, arrived at %d: %v", c.o.Status(), c.after, c.upTo, got)
		}
	}
}

// TestAFullListFolds holds that the oldest predicate then takes all that is
// where it looked, that it can be undone nevertheless, and that what was found
// live after it stays.
func TestAFullListFolds(t *testing.T) {
	r := newRig(t, Config{Predicates: 3})
	s, _ := ParseBan("obj.status == 404")
	scope, _ := Path("/shop")
	s, err := s.Under(scope)
	first := Purge{ID: NewID(1), Service: "shop", Predicates: []*Predicate{compiled(t, s, err)}}
	r.Apply(r.now, first)
	under, beside := page("https://h/shop/a", 200), page("https://h/news", 404)
	r.expectPage("before it folds", Live, 0, under)
	for i := range 3 {
		r.ban(Effect{}, fmt.Sprintf("req.url == /%d", i))
	}
	if st := r.Stats(); st.Predicates != 3 || st.Folded != 1 {
		t.Errorf("%+v", st)
	}
	r.expectPage("under the path", Withdrawn, 0, under)
	r.expectPage("under the path, found live after the purge", Live, 1, under)
	r.expectPage("beside the path", Live, 0, beside)
	if !r.s.Settle(under, 0, ownTimes, r.now).Spare || !r.s.Concerned(under, 0, 1) {
		t.Error("a sweep or a join does not see what look-ups see")
	}
	if u := r.Revert(r.now, first.ID); u != Undone {
		t.Errorf("undone: %v", u)
	}
	r.expectPage("undone", Live, 0, under)

	newest := r.ban(SoftEffect(), "obj.status == 500") // "/0" folds, on everything
	r.expectPage("under all", Withdrawn, 0, beside)
	r.expectPage("under all, fetched between", Live, 2, page("https://h/news", 200))
	r.expectPage("under all, and the newest by itself", Softened, 2, page("https://h/news", 500))
	if u := r.Revert(r.now, newest); u != Undone {
		t.Errorf("the newest: %v", u)
	}
	r.now += 60 * second
	r.pass()
	if st := r.Stats(); st.Bytes != 0 || st.Marks != 0 || st.Predicates != 0 || r.s.weight != 0 {
		t.Errorf("left behind: %+v, weight %d", st, r.s.weight)
	}
}

// TestFoldedPredicatesOfOneScope holds that many that fold onto one tag merge
// as many purges of a tag do.
func TestFoldedPredicatesOfOneScope(t *testing.T) {
	r := newRig(t, Config{Predicates: 1})
	var ids []ID
	for i := range maxEntries + 3 {
		ids = append(ids, r.ban(SoftEffect(), fmt.Sprintf("req.url == /%d", i), fmt.Sprintf("req.url == /%d/x", i)))
	}
	o := page("https://h/any", 200)
	r.expectPage("by what folded", Softened, 0, o)
	for i, want := range map[int]Undo{0: UndoTooLate, 5: Undone, maxEntries + 2: Undone} {
		if u := r.Revert(r.now, ids[i]); u != want {
			t.Errorf("purge %d: %v, want %v", i, u, want)
		}
	}
	r.expectPage("by what merged", Softened, 0, o)
	r.now += 60 * second
	r.pass()
	r.expectPage("after a sweep", Live, 0, o)
	if st := r.Stats(); st.Bytes != 0 || st.Marks != 0 || r.s.weight != 0 {
		t.Errorf("left behind: %+v", st)
	}
}

// TestPredicatesFoldWithTheirPurge holds that one whose purge folds for want of
// memory still takes what it took.
func TestPredicatesFoldWithTheirPurge(t *testing.T) {
	r := newRig(t, Config{MarkBytes: 1})
	r.ban(Effect{}, "obj.status == 404")
	r.expectPage("matching", Withdrawn, 0, page("https://h/a", 404))
	r.expectPage("fetched later", Live, 1, page("https://h/a", 404))
	if st := r.Stats(); st.Predicates != 0 || st.Folded != 1 || st.Bytes != 0 || r.s.weight != 0 {
		t.Errorf("%+v", st)
	}
}

// TestRoomForPredicates holds that there is none from half full on, until the
// oldest can go.
func TestRoomForPredicates(t *testing.T) {
	r := newRig(t, Config{Predicates: 8})
	s, err := ParseBan("obj.status == 404")
	one := []*Predicate{compiled(t, s, err)}
	for i := range 4 {
		if wait, err := r.Room(r.now, "shop", one); wait != 0 || err != nil {
			t.Fatalf("with %d: %v, %v", i, wait, err)
		}
		r.ban(Effect{}, "obj.status == 404")
		r.now += second
	}
	if wait, err := r.Room(r.now, "shop", one); wait != 56*time.Second+walksEvery || err != nil {
		t.Errorf("half full: %v, %v", wait, err)
	}
	if wait, err := r.Room(r.now, "shop", nil); wait != 0 || err != nil {
		t.Errorf("a purge that brings none: %v, %v", wait, err)
	}
	if wait, _ := r.Room(r.now, "news", one); wait != 0 {
		t.Errorf("another service waits for it: %v", wait)
	}
	if _, err := r.Room(r.now, "shop", make5(one[0])); !errors.Is(err, ErrBadSelector) {
		t.Errorf("more than ever fit: %v", err)
	}
	if st := r.Stats(); st.Predicates != 4 {
		t.Errorf("%+v", st)
	}
	heavy := newRig(t, Config{PredicateWeight: 1})
	if _, err := heavy.Room(1, "shop", one); !errors.Is(err, ErrBadSelector) {
		t.Errorf("heavier than ever fits: %v", err)
	}
}

func make5(p *Predicate) []*Predicate { return []*Predicate{p, p, p, p, p} }

// TestSettlingTestsOnce holds that a walk over what is stored tells up to where
// nothing concerns an object, so that it is not tested against that again.
func TestSettlingTestsOnce(t *testing.T) {
	r := newRig(t, Config{})
	r.ban(Effect{}, "obj.status == 404")
	tests := 0
	o := counting{page("https://h/a", 200), &tests}
	settled := r.s.Settle(o, 0, ownTimes, r.now)
	if settled.UpTo != 1 || tests == 0 {
		t.Fatalf("%+v after %d tests", settled, tests)
	}
	tests = 0
	r.ban(Effect{}, "req.url ~ ^/b") // does not look at the status
	for range 3 {
		settled = r.s.Settle(o, settled.UpTo, ownTimes, r.now)
		r.s.Judge(o, settled.UpTo, ownTimes)
	}
	if tests != 0 || settled.UpTo != 2 {
		t.Errorf("tested %d times more, settled up to %d", tests, settled.UpTo)
	}
}

type counting struct {
	*Response
	n *int
}

func (c counting) Status() int { *c.n++; return c.Response.Status() }

func TestWhatAPredicateTouched(t *testing.T) {
	r := newRig(t, Config{})
	o := page("https://h/a", 404)
	soft := r.ban(SoftEffect(), "obj.status == 404")
	if !r.s.Touched(o, 0, soft) || r.s.Touched(page("https://h/b", 200), 0, soft) {
		t.Error("not what it concerns")
	}
	hard := r.ban(Effect{}, "req.url ~ ^/a")
	if r.s.Touched(o, 0, soft) || !r.s.Touched(o, 0, hard) {
		t.Error("what a later purge withdrew counts for an earlier one, or not for itself")
	}
}

// TestWhatA304Replaces holds that a ban of what a response was stops its
// renewal, and that one of what it becomes bounds it once.
func TestWhatA304Replaces(t *testing.T) {
	was, becomes := page("https://h/a", 200, "X-V: 1"), page("https://h/a", 200, "X-V: 2")
	for ban, want := range map[string]State{"obj.http.x-v == 1": Withdrawn, "obj.http.x-v == 2": Withdrawn, "obj.http.x-v == 3": Live} {
		r := newRig(t, Config{})
		r.ban(Effect{}, ban)
		if v := r.s.JudgeRenewed(was, becomes, 0, ownTimes); v.State != want {
			t.Errorf("%s: %v", ban, v.State)
		}
	}
	r := newRig(t, Config{})
	r.apply(SoftEffect(), was.Tags[0])
	if v := r.s.JudgeRenewed(was, becomes, 0, ownTimes); v.Times != ownTimes {
		t.Errorf("a soft purge by a tag of both: %+v", v.Times)
	}
	for ban, want := range map[string]field.Times{"obj.http.x-v == 1": at(1000, 100, 100, 100), "obj.http.x-v == 2": ownTimes, "req.url ~ ^/a": ownTimes} {
		r := newRig(t, Config{})
		r.ban(SoftEffect(), ban)
		if v := r.s.JudgeRenewed(was, becomes, 0, ownTimes); v.Times != want {
			t.Errorf("soft %s: %+v, want %+v", ban, v.Times, want)
		}
	}
}

// TestFoldingAPredicateHidesNothing holds that a look-up that runs while a
// predicate folds finds it in the list, under its mark or in the array.
func TestFoldingAPredicateHidesNothing(t *testing.T) {
	for _, cfg := range []Config{{Predicates: 2}, {MarkBytes: 4000}} {
		for range 100 {
			r := newRig(t, cfg)
			object := page("https://h/a", 404)
			object.Tags = append(spreadTags(1_000_000, 300), object.Tags...)
			r.ban(Effect{}, "obj.status == 404")
			var stop, missed atomic.Bool
			var reader sync.WaitGroup
			reader.Go(func() {
				for !stop.Load() {
					if r.s.Judge(object, 0, ownTimes).State != Withdrawn {
						missed.Store(true)
					}
				}
			})
			for r.Stats().Folded == 0 {
				r.ban(Effect{}, "req.url == /none")
			}
			stop.Store(true)
			reader.Wait()
			if missed.Load() {
				t.Fatalf("%+v: a purged object was live while its predicate folded", cfg)
			}
		}
	}
}

// TestPredicatesAreSeenOncePublished is TestAppliedMeansVisible for them, while
// others are undone and swept.
func TestPredicatesAreSeenOncePublished(t *testing.T) {
	r := newRig(t, Config{Predicates: 50, UndoWindow: -1})
	object := page("https://h/a", 404)
	var stop atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for !stop.Load() {
				lease := r.s.Begin() // no sweep drops what is needed here
				stamp := lease.Stamp()
				for range 20 {
					if up := r.s.Position(); up > stamp {
						if v := r.s.Judge(object, up-1, ownTimes); v.State != Withdrawn {
							t.Errorf("position %d is published, but the object is %v", up, v.State)
							lease.End()
							return
						}
					}
				}
				lease.End()
			}
		})
	}
	for i := range 3000 {
		r.ban(Effect{}, "obj.status == 404")
		if i%10 == 0 {
			r.EndSweep(r.BeginSweep(r.now))
		}
	}
	stop.Store(true)
	readers.Wait()
}
