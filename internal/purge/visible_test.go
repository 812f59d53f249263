package purge

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// TestFoldingHidesNothing holds that a look-up that runs while a mark folds
// finds it in one place or the other. The object has many tags and the purged
// one comes last, so that folding falls into a look-up.
func TestFoldingHidesNothing(t *testing.T) {
	for range 40 {
		r := newRig(t, Config{MarkBytes: 1 << 20})
		object := append(spreadTags(1_000_000, 999), spread(0))
		r.apply(Effect{}, spread(0))
		var stop, missed atomic.Bool
		var reader sync.WaitGroup
		reader.Go(func() {
			for !stop.Load() {
				if r.s.Judge(object, 0, field.Times{}).State != Withdrawn {
					missed.Store(true)
				}
			}
		})
		for i := 1; r.Stats().Folded == 0; i++ {
			r.apply(Effect{}, spreadTags(i*256, 256)...)
		}
		stop.Store(true)
		reader.Wait()
		if missed.Load() {
			t.Fatal("a purged object was live while its mark folded")
		}
	}
}

// TestABatchIsSeenWhole holds that of the keys of one purge, a reader sees
// none or all.
func TestABatchIsSeenWhole(t *testing.T) {
	const keys = 256
	r := newRig(t, Config{})
	tags := spreadTags(0, keys)
	var fetched atomic.Uint64 // stamp of all objects
	var stop atomic.Bool
	var reader sync.WaitGroup
	reader.Go(func() {
		for !stop.Load() {
			stamp := field.Position(fetched.Load())
			for k := range keys - 1 {
				a, b := r.state(stamp, tags[k]), r.state(stamp, tags[k+1])
				if a == Withdrawn && b == Live {
					t.Errorf("key %d of a purge is withdrawn, and after that key %d is not", k, k+1)
					return
				}
			}
		}
	})
	for range 200 {
		fetched.Store(uint64(r.s.Position()))
		r.apply(Effect{}, spread(keys)) // elsewhere: objects must be judged anew
		r.apply(Effect{}, tags...)
	}
	stop.Store(true)
	reader.Wait()
}

// TestUnfoldingTakesOnlyWhatItSaw holds that a pass that clears folded purges
// leaves those that fold at that moment. The objects are fetched again whenever
// the pass removes them.
func TestUnfoldingTakesOnlyWhatItSaw(t *testing.T) {
	const objects = 8
	e := NewEngine(Config{MarkBytes: 2000, UndoWindow: time.Hour})
	s := e.Service("shop")
	var stamps [objects]field.Position
	var purged [objects]atomic.Uint64
	var stop atomic.Bool
	var purger sync.WaitGroup
	purger.Go(func() {
		spin := 0
		for i := 0; !stop.Load(); i++ {
			a := e.Apply(1, Purge{ID: NewID(1), Service: "shop", Tags: Tags{spread(i % objects)}})
			purged[i%objects].Store(uint64(a.Position))
			for range i % 64 * 50 {
				spin++ // so that some passes see no folding until they end
			}
		}
	})
	for range 5_000 {
		sweep := e.BeginSweep(1)
		for i := range objects {
			if s.Settle(Tags{spread(i)}, stamps[i], field.Times{}, 1).Gone {
				stamps[i] = s.Position()
			}
		}
		e.EndSweep(sweep)
		for i := range objects {
			p := purged[i].Load()
			if p > uint64(stamps[i]) && s.Judge(Tags{spread(i)}, stamps[i], field.Times{}).State != Withdrawn {
				t.Errorf("object %d, fetched at %d, is live after its purge at %d", i, stamps[i], p)
			}
		}
		if t.Failed() {
			break
		}
	}
	stop.Store(true)
	purger.Wait()
}
