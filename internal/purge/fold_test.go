package purge

import (
	"fmt"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// TestMarksKeepTheirLimit holds that no burst makes marks larger than they may
// be, that it is counted, and that everything purged stays purged.
func TestMarksKeepTheirLimit(t *testing.T) {
	const limit = 50_000
	for batch, purges := range map[int]int{1: 2000, 256: 200} {
		what := fmt.Sprintf("batches of %d", batch)
		r := newRig(t, Config{MarkBytes: limit})
		for i := range purges {
			tags := spreadTags(i*batch, batch)
			r.apply(Effect{Mode: Mode(i % 2), TTL: time.Hour}, tags...)
			if st := r.Stats(); st.Bytes > limit || st.Bytes < 0 {
				t.Fatalf("%s: %d bytes after %d purges", what, st.Bytes, i+1)
			}
			for _, old := range []int{i, i / 2, 0} {
				if got := r.state(field.Position(old), spread(old*batch+batch-1)); got == Live {
					t.Fatalf("%s: purge %d has no effect after %d more", what, old, i-old)
				}
			}
		}
		st := r.Stats()
		if st.Folded == 0 || st.Marks+int(st.Folded) < purges*batch {
			t.Errorf("%s: %+v", what, st)
		}
		r.expect(what+": fetched after all of it", Live, r.s.Position(), spread(0), spread((purges-1)*batch))
	}
}

// TestFoldedPurgesTakeTooMuch holds what folding costs: the undo, the mildness
// of a soft purge, and the objects whose tags share its slot.
func TestFoldedPurgesTakeTooMuch(t *testing.T) {
	r := newRig(t, Config{MarkBytes: 1})
	neighbour := field.Tag(7 + foldSlots)
	soft := r.apply(SoftEffect(), 7)
	r.expect("softly purged", Withdrawn, 0, 7)
	r.expect("a neighbour", Withdrawn, 0, neighbour)
	r.expect("nobody's neighbour", Live, 0, 8)
	r.expect("a neighbour that was fetched later", Live, 1, neighbour)
	if got := r.s.Settle(Tags{neighbour}, 0, field.Times{}, r.now); !got.Gone || got.UpTo != 0 || !r.s.Concerned(Tags{neighbour}, 0, 1) || r.s.Concerned(Tags{neighbour}, 1, 1) {
		t.Error("a sweep or a join does not see what look-ups see")
	}
	if r.s.Touched(Tags{7}, 0, soft) {
		t.Error("counted as touched by a purge that is folded")
	}
	if u := r.Revert(r.now, soft); u == Undone || u == UndoneInPart {
		t.Errorf("undone: %v", u)
	}
	r.expect("after the attempt", Withdrawn, 0, 7)
	if r.Service("news").Judge(Tags{7}, 0, field.Times{}).State != Live {
		t.Error("another service's objects are taken")
	}
}

// TestTheOldestFoldFirst holds that a burst leaves the latest purges exact and
// undoable.
func TestTheOldestFoldFirst(t *testing.T) {
	r := newRig(t, Config{MarkBytes: 10_000})
	for i := range 500 {
		id := r.apply(Effect{}, spread(i))
		if i%5 != 0 {
			continue
		}
		if u := r.Revert(r.now, id); u != Undone {
			t.Fatalf("the latest of %d: %v", i+1, u)
		}
		r.expect("undone", Live, r.s.Position()-1, spread(i))
	}
	if r.Stats().Folded == 0 {
		t.Error("nothing folded")
	}
}

func TestSweepsClearWhatFolded(t *testing.T) {
	r := newRig(t, Config{MarkBytes: 1})
	r.apply(Effect{}, 7)
	lease := r.s.Begin()
	r.apply(Effect{}, 8)
	r.EndSweep(r.BeginSweep(r.now))
	r.expect("folded before every fetch under way", Live, 0, 7)
	r.expect("folded after one began", Withdrawn, lease.Stamp(), 8)
	lease.End()

	sweep := r.BeginSweep(r.now)
	r.apply(Effect{}, 9)
	r.EndSweep(sweep)
	r.expect("folded during the pass", Withdrawn, 0, 9)
	r.expect("folded before, but the pass cannot tell", Withdrawn, 0, 8)
	r.EndSweep(r.BeginSweep(r.now))
	r.expect("one pass later", Live, 0, 8, 9)
}
