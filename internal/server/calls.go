package server

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/stripe"
)

// ErrStillRunning is returned by Close when a handler has not returned some
// seconds after its connection was cut.
var ErrStillRunning = errors.New("server: a handler is still running")

// calls counts the calls out of this package that are running, so that Close
// can promise that there are none after it. A sync.WaitGroup would not do: calls
// still begin while Close waits, and are turned away.
//
// The count lies in shards, because every request changes it, on every
// processor. A call leaves the shard that it entered. So once a shard has been
// seen empty after closed was set, no call is running that is counted there.
type calls struct {
	shards stripe.Of[shard]
	closed atomic.Bool
	none   chan struct{}
}

// shard is a part of what every request counts.
type shard struct {
	running      atomic.Int64
	http1, http2 atomic.Uint64
}

func newCalls() *calls {
	return &calls{none: make(chan struct{}, 1)}
}

// shard returns any of the shards.
func (c *calls) shard() *shard { return c.shards.At(rand.Uint32()) }

// enter announces a call. Where it returns false there must be none.
func (c *calls) enter(s *shard) bool {
	s.running.Add(1)
	if c.closed.Load() {
		c.exit(s)
		return false
	}
	return true
}

func (c *calls) exit(s *shard) {
	if s.running.Add(-1) == 0 && c.closed.Load() {
		select {
		case c.none <- struct{}{}:
		default:
		}
	}
}

func (c *calls) close() { c.closed.Store(true) }

// wait waits, after close, until no call is running.
func (c *calls) wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for i := range uint32(stripe.Parts) {
		for c.shards.At(i).running.Load() > 0 {
			select {
			case <-c.none:
			case <-timer.C:
				return ErrStillRunning
			}
		}
	}
	return nil
}

// request counts a request in s.
func (s *shard) request(major int) {
	if major == 2 {
		s.http2.Add(1)
	} else {
		s.http1.Add(1)
	}
}

// requests returns how many there were of each version.
func (c *calls) requests() (http1, http2 uint64) {
	c.shards.Each(func(s *shard) {
		http1 += s.http1.Load()
		http2 += s.http2.Load()
	})
	return http1, http2
}
