package purge

import (
	"runtime"
	"testing"
)

// pass is a sweep over a store that holds nothing.
func (r *rig) pass() int { return r.EndSweep(r.BeginSweep(r.now)) }

func TestMarksGoOnceNothingNeedsThem(t *testing.T) {
	r := newRig(t, Config{})
	r.apply(Effect{}, 1)
	if n := r.pass(); n != 0 {
		t.Errorf("%d dropped within the undo window", n)
	}
	r.expect("within the window", Withdrawn, 0, 1)
	r.now += 60 * second
	sweep := r.BeginSweep(r.now)
	late := r.apply(Effect{}, 1)
	r.EndSweep(sweep)
	r.expect("purged again during the pass", Withdrawn, 1, 1)
	if u := r.Revert(r.now, late); u != Undone {
		t.Errorf("the purge during the pass: %v", u)
	}
	r.expect("nothing left", Live, 0, 1)
	r.pass()
	if st := r.Stats(); st.Marks != 0 || st.Bytes != 0 {
		t.Errorf("left behind: %+v", st)
	}
}

func TestUndoneMarksGoAtOnce(t *testing.T) {
	r := newRig(t, Config{})
	r.Revert(r.now, r.apply(Effect{}, 1, 2))
	if n := r.pass(); n != 1 || r.Stats().Bytes != 0 {
		t.Errorf("%d dropped, %+v", n, r.Stats())
	}
}

// TestFetchesUnderWayHoldMarksBack holds that the marks that a response still
// to be stored needs are there, and only those.
func TestFetchesUnderWayHoldMarksBack(t *testing.T) {
	r := newRig(t, Config{})
	r.apply(Effect{}, 1)
	lease, twin := r.s.Begin(), r.s.Begin()
	r.apply(Effect{}, 2)
	elsewhere := r.Service("news")
	r.Apply(r.now, Purge{ID: NewID(1), Service: "news", Tags: Tags{3}})
	r.now += 60 * second
	if n := r.pass(); n != 2 {
		t.Errorf("%d dropped, want those older than the fetch and another service's", n)
	}
	r.expect("what the fetch will store", Withdrawn, lease.Stamp(), 2)
	lease.End()
	r.pass()
	r.expect("while another fetch of the same age is under way", Withdrawn, twin.Stamp(), 2)
	if elsewhere.Judge(Tags{3}, 0, at(1, 1, 1, 1)).State != Live {
		t.Error("another service waits for the fetch")
	}
	twin.End()
	if n := r.pass(); n != 1 || r.Stats().Marks != 0 {
		t.Errorf("%d dropped, %+v", n, r.Stats())
	}
}

// TestAFetchBegunDuringAPassKeepsWhatItNeeds holds that the marks after its
// stamp are not dropped by that pass: they came later than the pass began.
func TestAFetchBegunDuringAPassKeepsWhatItNeeds(t *testing.T) {
	r := newRig(t, Config{UndoWindow: -1})
	sweep := r.BeginSweep(r.now)
	lease := r.s.Begin()
	r.apply(Effect{}, 1)
	r.EndSweep(sweep)
	r.expect("what it will store", Withdrawn, lease.Stamp(), 1)
	lease.End()
}

// TestAServiceBornDuringAPass holds that a pass that did not see its objects
// leaves its marks.
func TestAServiceBornDuringAPass(t *testing.T) {
	r := newRig(t, Config{UndoWindow: -1})
	sweep := r.BeginSweep(r.now)
	born := r.Service("born")
	r.Apply(r.now, Purge{ID: NewID(1), Service: "born", Tags: Tags{1}})
	if n := r.EndSweep(sweep); n != 0 || born.Judge(Tags{1}, 0, at(1, 1, 1, 1)).State != Withdrawn {
		t.Errorf("%d dropped", n)
	}
}

// TestMemoryComesBack holds that what marks are accounted as is about what
// they take, and that most of it is free again after a sweep.
func TestMemoryComesBack(t *testing.T) {
	const purges = 60_000
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	r := newRig(t, Config{MarkBytes: 1 << 30})
	before := heap()
	for i := range purges {
		r.Apply(r.now, Purge{ID: NewID(1), Service: "shop", Tags: Tags{spread(i)}})
	}
	full, counted := heap()-before, r.Stats().Bytes
	if ratio := float64(counted) / float64(full); ratio < 0.7 || ratio > 1.5 {
		t.Errorf("%d purges take %d bytes and count %d", purges, full, counted)
	}
	r.now += 60 * second
	if n := r.pass(); n != purges {
		t.Errorf("%d dropped", n)
	}
	left := heap() - before
	if st := r.Stats(); st.Bytes != 0 || st.Marks != 0 {
		t.Errorf("counted: %+v", st)
	}
	t.Logf("%d bytes a purge, counted %d; %d after the sweep", full/purges, counted/purges, left/purges)
	if left > full/2 {
		t.Errorf("%d of %d bytes are left after a sweep", left, full)
	}
	runtime.KeepAlive(r)
}
