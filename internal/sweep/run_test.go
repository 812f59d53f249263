package sweep

import (
	"context"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// running runs the sweeper during f.
func (s *shelf) running(f func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	f()
	cancel()
	<-ended
}

func TestRunMakesPassesUntilItIsTold(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.running(func() {
			time.Sleep(idleEvery + 20*time.Second)
			s.counts(2, 0, 0, 0) // with nothing purged, one a minute will do
			s.fetch("a", long, 1)
			s.purge(purge.Effect{}, 1)
			time.Sleep(time.Minute + 10*time.Second)
			s.expectGone("a")
		})
		passes := s.Stats().Passes
		time.Sleep(time.Hour)
		s.counts(passes, 1, 0, 1)
	})
}

// TestSpaceIsBackSoon holds that what a purge withdrew is freed within two
// looks after it can no longer be undone, and not before.
func TestSpaceIsBackSoon(t *testing.T) {
	for _, undo := range []time.Duration{-1, time.Second, time.Minute} {
		onShelf(t, purge.Config{UndoWindow: undo}, func(s *shelf) {
			s.running(func() {
				time.Sleep(12345 * time.Millisecond)
				s.fetch("a", long, 1)
				s.purge(purge.Effect{}, 1)
				s.purge(purge.Effect{}, 2)
				if undo > 0 {
					time.Sleep(undo - time.Millisecond)
					if _, ok := s.look("a"); !ok {
						t.Errorf("freed while its purge could be undone, for %v", undo)
					}
				}
				time.Sleep(2*lookEvery + time.Millisecond)
				s.expectGone("a")
				if marks := s.Engine.Stats().Marks; marks != 0 {
					t.Errorf("%d marks are left", marks)
				}
			})
		})
	}
}

// TestPassesUnderSteadyPurges holds that purges that come of age all the time do
// make one pass a look at most, and while all can be undone none.
func TestPassesUnderSteadyPurges(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.running(func() {
			const minutes = 3
			for i := range minutes * 600 {
				if i == 550 {
					s.counts(1, 0, 0, 0) // the one at the start
				}
				s.purge(purge.Effect{}, field.Tag(i))
				time.Sleep(100 * time.Millisecond)
			}
			if n := s.Stats().Passes; n > (minutes-1)*60+3 {
				t.Errorf("%d passes in the %d minutes in which purges came of age", n, minutes-1)
			}
		})
	})
}

// TestAFetchThatNeedsMarksDelaysPasses holds that marks that a fetch under way
// still needs do not make pass follow pass.
func TestAFetchThatNeedsMarksDelaysPasses(t *testing.T) {
	onShelf(t, purge.Config{UndoWindow: -1}, func(s *shelf) {
		s.running(func() {
			lease := s.marks.Begin()
			s.purge(purge.Effect{}, 1)
			time.Sleep(time.Minute)
			if n := s.Stats().Passes; n > 8 {
				t.Errorf("%d passes in a minute without effect", n)
			}
			lease.End()
			time.Sleep(mostPause + lookEvery)
			if marks := s.Engine.Stats().Marks; marks != 0 {
				t.Errorf("%d marks are left", marks)
			}
		})
	})
}

func TestPauseAfter(t *testing.T) {
	for _, c := range []struct {
		took    time.Duration
		dropped int
		want    time.Duration
	}{
		{0, 1, leastPause},
		{time.Millisecond, 0, mostPause},
		{500 * time.Millisecond, 1, 4500 * time.Millisecond},
		{time.Minute, 5, mostPause},
	} {
		if got := pauseAfter(c.took, c.dropped); got != c.want {
			t.Errorf("%v after a pass of %v that dropped %d; want %v", got, c.took, c.dropped, c.want)
		}
	}
}
