package sweep

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// TestAHolderLearnsOfBounds holds that whoever looked an object up before a pass
// that removed it as expired does not find it fresh again.
func TestAHolderLearnsOfBounds(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.fetch("a", long, 1)
		s.purge(purge.Effect{Mode: purge.Soft, TTL: time.Second, Grace: 0, Keep: 0}, 1)
		time.Sleep(time.Minute)
		o := s.Store.Get(key("a"), anyVariant{})
		defer o.Release()
		before := s.judge.Judge(o)
		s.pass()
		if v := s.judge.Judge(o); v.Usable() && v.Times.Fresh > before.Times.Fresh {
			t.Errorf("fresh until %v, before the pass until %v", time.Unix(0, v.Times.Fresh), time.Unix(0, before.Times.Fresh))
		}
	})
}

// A holder of an object that left the store in another way before the pass.
func TestAHolderOfWhatLeftOtherwise(t *testing.T) {
	for _, why := range []store.Gone{store.Evicted, store.Removed} {
		onShelf(t, purge.Config{}, func(s *shelf) {
			s.fetch("a", long, 1)
			s.purge(purge.Effect{}, 1)
			time.Sleep(time.Minute)
			o := s.Store.Get(key("a"), anyVariant{})
			defer o.Release()
			s.Store.Remove(o, why)
			s.pass()
			if v := s.judge.Judge(o); v.Usable() {
				t.Errorf("%v: used after its purge, in state %d", why, v.State)
			}
		})
	}
}
