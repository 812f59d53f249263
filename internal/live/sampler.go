package live

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// How many requests are sampled a second, about: while there are fewer, all of
// them are. Each costs somewhat under a microsecond in a Top, so that this is a
// thousandth of a core, and a minute of them tells a part of a thousandth from
// nothing.
const (
	maxSamples = 1024 // past these, the chance is halved
	minSamples = 256  // short of these, it is doubled again
	maxShift   = 20   // one in a million
)

// Sampler chooses the requests that are looked at more closely, at random, by
// as many as it can afford. The zero Sampler takes all requests to begin with.
// Its methods may be called from many goroutines at once.
type Sampler struct {
	shift  atomic.Uint32 // of 1<<shift requests, one is taken
	second atomic.Int64  // Unix time of the last adaption
	taken  atomic.Uint32 // since then, or since shift was raised

	mu struct {
		sync.Mutex
		raised bool // shift, since the last adaption
	}
}

// Take returns how many requests this one stands for, or 0 if it is not taken.
// now is roughly the present; what it says of the second is all that counts.
func (s *Sampler) Take(now time.Time) (weight uint64) {
	if second := now.Unix(); second > s.second.Load() {
		s.adapt(second)
	}
	shift := s.shift.Load()
	if shift > 0 && rand.Uint64()&(1<<shift-1) != 0 {
		return 0
	}
	if s.taken.Add(1) >= maxSamples {
		s.raise(shift)
	}
	return 1 << shift
}

// adapt begins another second. A chance that was too small in the last one
// doubles, and again for each second in which there was nothing.
func (s *Sampler) adapt(second int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.second.Load()
	if second <= last {
		return // another was quicker
	}
	shift := s.shift.Load()
	if s.taken.Load() < minSamples && !s.mu.raised {
		shift -= min(shift, 1)
	}
	shift -= uint32(min(int64(shift), second-last-1))
	s.shift.Store(shift)
	s.taken.Store(0)
	s.mu.raised = false
	s.second.Store(second)
}

// raise halves the chance, unless another did so already.
func (s *Sampler) raise(from uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shift.Load() != from || s.taken.Load() < maxSamples {
		return
	}
	s.shift.Store(min(from+1, maxShift))
	s.taken.Store(0)
	s.mu.raised = true
}
