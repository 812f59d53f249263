package sweep

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/memory"
)

// shelf is a store, an engine and a sweeper of one service, in virtual time.
type shelf struct {
	*Sweeper
	t     *testing.T
	marks *purge.Service
	judge *fetch.Judge
}

// onShelf runs a test in virtual time.
func onShelf(t *testing.T, cfg purge.Config, f func(s *shelf)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := purge.NewEngine(cfg)
		marks := engine.Service("shop")
		f(&shelf{
			Sweeper: &Sweeper{Store: memory.New(memory.Config{Budget: 8 << 20, Poison: true}), Engine: engine},
			t:       t, marks: marks, judge: &fetch.Judge{Marks: marks},
		})
	})
}

// life is how long an object is fresh, stale and kept, each after the other.
type life struct{ fresh, stale, keep time.Duration }

var long = life{24 * time.Hour, time.Hour, time.Hour}

func (l life) from(now time.Time) field.Times {
	stale := now.Add(l.fresh + l.stale).UnixNano()
	return field.Times{Fresh: now.Add(l.fresh).UnixNano(), SWR: stale, SIE: stale, Keep: stale + int64(l.keep)}
}

func key(name string) (k field.Key) { copy(k[:], name); return k }

// fetch stores an object of one kilobyte that was asked for just now.
func (s *shelf) fetch(name string, l life, tags ...field.Tag) {
	lease := s.marks.Begin()
	defer lease.End()
	s.storeAt(lease.Stamp(), name, l, tags...)
}

func (s *shelf) storeAt(stamp field.Position, name string, l life, tags ...field.Tag) {
	s.t.Helper()
	body := s.Store.NewBody(1024)
	for body.Size() < 1024 {
		room, err := body.Buffer()
		if err != nil {
			s.t.Fatal(err)
		}
		body.Commit(min(len(room), 1024))
	}
	body.Complete(nil)
	head := store.NewHead(store.HeadSpec{Status: 200, Tags: tags, Stamp: stamp, Times: l.from(time.Now()), Length: 1024})
	o := s.Store.Put(store.Draft{Key: key(name), Head: head, Body: body, Judge: s.judge})
	defer o.Release()
	body.Release()
	if !o.Found() {
		s.t.Fatalf("%s was not stored", name)
	}
}

type anyVariant struct{}

func (anyVariant) MatchVariant(*store.Head) bool { return true }

// look returns the verdict that a look-up would act on, and whether anything
// is stored.
func (s *shelf) look(name string) (store.Verdict, bool) {
	o := s.Store.Get(key(name), anyVariant{})
	if !o.Found() {
		return store.Verdict{}, false
	}
	defer o.Release()
	return s.judge.Judge(o), true
}

func (s *shelf) expect(name string, want store.State) field.Times {
	s.t.Helper()
	v, ok := s.look(name)
	if !ok || v.State != want {
		s.t.Errorf("%s: stored %v, state %d; want state %d", name, ok, v.State, want)
	}
	return v.Times
}

func (s *shelf) expectGone(name string) {
	s.t.Helper()
	if v, ok := s.look(name); ok {
		s.t.Errorf("%s is still stored, in state %d", name, v.State)
	}
}

func (s *shelf) purge(e purge.Effect, tags ...field.Tag) purge.ID {
	now := time.Now()
	id := purge.NewID(now.UnixMilli())
	s.Engine.Apply(now.UnixNano(), purge.Purge{ID: id, Service: "shop", Tags: tags, Effect: e})
	return id
}

func (s *shelf) pass() { s.Pass(context.Background()) }

func (s *shelf) counts(passes, swept, expired, marks int64) {
	s.t.Helper()
	if got, want := s.Stats(), (Stats{passes, swept, expired, marks}); got != want {
		s.t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestDeadObjectsAreFreed(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		empty := s.Store.Stats().Bytes
		s.fetch("a", long, 1)
		s.fetch("b", long, 2)
		one := (s.Store.Stats().Bytes - empty) / 2
		s.purge(purge.Effect{}, 1)
		s.expect("a", store.Spare)
		time.Sleep(time.Minute)
		s.expect("a", store.Dead)
		s.pass()
		s.expectGone("a")
		s.expect("b", store.Live)
		s.counts(1, 1, 0, 1)
		if st := s.Store.Stats(); st.Gone[store.Swept] != 1 || st.Bytes != empty+one || s.Engine.Stats().Bytes != 0 {
			t.Errorf("freed: %+v", st)
		}
	})
}

func TestUndoableObjectsAreSpared(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.fetch("a", long, 1, 2)
		s.fetch("b", long, 3)
		id := s.purge(purge.Effect{}, 1, 3)
		time.Sleep(59 * time.Second)
		s.pass()
		s.expect("a", store.Spare)
		s.counts(1, 0, 0, 0)
		s.purge(purge.SoftEffect(), 2)
		if u := s.Engine.Revert(time.Now().UnixNano(), id); u != purge.Undone {
			t.Fatalf("reverted: %v", u)
		}
		s.expect("a", store.Soft) // by the purge that stands
		s.expect("b", store.Live)
		s.pass()
		s.expect("b", store.Live)
		s.counts(2, 0, 0, 1)
	})
}

// TestOneFinalPurgeIsEnough holds that an object is spared only while every
// purge that takes it can be undone.
func TestOneFinalPurgeIsEnough(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.fetch("a", long, 1, 2)
		s.purge(purge.Effect{}, 1)
		time.Sleep(30 * time.Second)
		second := s.purge(purge.Effect{}, 2)
		time.Sleep(30 * time.Second)
		s.pass()
		s.expectGone("a")
		if u := s.Engine.Revert(time.Now().UnixNano(), second); u != purge.Undone {
			t.Errorf("the later purge: %v", u)
		}
	})
}

// TestSoftBoundsAreWrittenDown holds that an object's times are the same
// before the pass that drops the marks and after it, and that purges to come
// still count from its own times.
func TestSoftBoundsAreWrittenDown(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.fetch("a", long, 1)
		s.fetch("b", long, 2)
		own := s.expect("a", store.Live)
		time.Sleep(time.Second)
		soft := purge.Effect{Mode: purge.Soft, TTL: 2 * time.Hour, Grace: 10 * time.Minute, Keep: purge.Untouched}
		began := time.Now()
		s.purge(soft, 1)
		before := s.expect("a", store.Soft)
		if want := (life{2 * time.Hour, 10 * time.Minute, time.Hour}).from(began); before != want {
			t.Fatalf("bounded to %+v, want %+v", before, want)
		}
		s.pass() // can still be undone
		if s.Engine.Stats().Marks != 1 {
			t.Error("dropped within the undo window")
		}
		time.Sleep(time.Minute)
		for range 3 {
			s.pass()
			if after := s.expect("a", store.Live); after != before || s.Engine.Stats().Marks != 0 {
				t.Errorf("%+v before its mark was dropped, %+v after", before, after)
			}
		}
		if s.expect("b", store.Live) != own {
			t.Error("another object was bounded")
		}
		s.purge(soft, 1)
		if again := s.expect("a", store.Soft); again != before.Min(again) || again.SWR-again.Fresh != int64(10*time.Minute) {
			t.Errorf("purged again: %+v after %+v", again, before)
		}
	})
}

// TestARevertedSoftPurgeIsNotWrittenDown holds that a pass within the window
// leaves an object as it is, so that the undo is whole.
func TestARevertedSoftPurgeIsNotWrittenDown(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.fetch("a", long, 1)
		own := s.expect("a", store.Live)
		id := s.purge(purge.SoftEffect(), 1)
		time.Sleep(30 * time.Second)
		s.pass()
		s.Engine.Revert(time.Now().UnixNano(), id)
		if s.pass(); s.expect("a", store.Live) != own {
			t.Error("the undone purge left its bounds")
		}
	})
}

func TestUselessObjectsExpire(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.fetch("short", life{time.Second, time.Second, time.Second}, 1)
		s.fetch("bounded", long, 2)
		s.fetch("long", long, 3)
		s.purge(purge.Effect{Mode: purge.Soft, TTL: time.Second, Grace: 0, Keep: 0}, 2)
		time.Sleep(3*time.Second - time.Nanosecond)
		s.pass()
		s.expect("short", store.Live)
		time.Sleep(time.Nanosecond)
		s.pass()
		s.expectGone("short")
		s.expect("bounded", store.Soft) // for as long as that can be undone
		time.Sleep(time.Minute)
		s.pass()
		s.expectGone("bounded")
		s.expect("long", store.Live)
		s.counts(3, 0, 2, 1)
		if st := s.Store.Stats(); st.Gone[store.Expired] != 2 || st.Objects != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestAnExpiredObjectIsSparedToo holds that what a revert brings back is not
// removed meanwhile under another name.
func TestAnExpiredObjectIsSparedToo(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.fetch("a", life{fresh: time.Second}, 1)
		s.purge(purge.Effect{}, 1)
		time.Sleep(2 * time.Second)
		s.pass()
		s.expect("a", store.Spare)
		time.Sleep(time.Minute)
		s.pass()
		s.expectGone("a")
	})
}

// TestAFetchUnderWayHoldsMarksBack holds that what was asked for before a
// purge and arrives long after it is dead on arrival, however many passes there
// were.
func TestAFetchUnderWayHoldsMarksBack(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		lease := s.marks.Begin()
		s.purge(purge.Effect{}, 1)
		s.purge(purge.SoftEffect(), 2)
		for range 10 {
			time.Sleep(time.Minute)
			s.pass()
		}
		s.storeAt(lease.Stamp(), "a", long, 1)
		s.storeAt(lease.Stamp(), "b", long, 2)
		lease.End()
		s.expect("a", store.Dead)
		s.expect("b", store.Soft)
		s.pass()
		s.expectGone("a")
		if v := s.expect("b", store.Live); v.Fresh > time.Now().UnixNano() {
			t.Errorf("fresh again: %+v", v)
		}
		s.counts(11, 1, 0, 2)
	})
}

// TestAHolderLearnsOfTheSweep holds that whoever looked an object up before a
// pass and judges it after, when its marks are gone, does not use it.
func TestAHolderLearnsOfTheSweep(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.fetch("a", long, 1)
		s.purge(purge.Effect{}, 1)
		time.Sleep(time.Minute)
		o := s.Store.Get(key("a"), anyVariant{})
		defer o.Release()
		s.pass()
		if v := s.judge.Judge(o); v.State != store.Dead || s.Engine.Stats().Marks != 0 {
			t.Errorf("state %d, with %d marks", v.State, s.Engine.Stats().Marks)
		}
	})
}

// TestMarksAreDroppedAsTheyComeOfAge holds that steady purging takes steady
// memory.
func TestMarksAreDroppedAsTheyComeOfAge(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.fetch("kept", long, 1<<63)
		most := 0
		for i := range 600 {
			s.fetch("a", long, field.Tag(i))
			s.purge(purge.Effect{}, field.Tag(i), field.Tag(i)<<32)
			time.Sleep(time.Second)
			if i%10 == 9 {
				s.pass()
			}
			most = max(most, s.Engine.Stats().Marks)
		}
		if most > 2*71 {
			t.Errorf("%d marks at most, of two purged each second and a window of a minute", most)
		}
		s.expect("kept", store.Live)
	})
}

func TestAPassThatIsStoppedDropsNothing(t *testing.T) {
	onShelf(t, purge.Config{UndoWindow: -1}, func(s *shelf) {
		s.fetch("a", long, 1)
		s.fetch("b", long, 1)
		s.purge(purge.Effect{}, 1)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Pass(ctx)
		if s.Engine.Stats().Marks != 1 || s.Stats().Passes != 0 {
			t.Errorf("%+v", s.Stats())
		}
		for _, name := range []string{"a", "b"} {
			if v, ok := s.look(name); ok && v.Usable() {
				t.Errorf("%s can be used", name)
			}
		}
	})
}
