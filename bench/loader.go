package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// loaders are the connections that fill a cache: enough to keep its core busy.
const loaders = 32

// fillUp fetches objects 0 to n-1 of a set through a server, once each, and
// returns how many a second came through.
func (l *lab) fillUp(s *server, set string, size, n int) (rate float64, err error) {
	l.progress("  %s: loading %s objects", s.name, thousands(int64(n)))
	ctx, cancel := context.WithCancelCause(l.ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range loaders {
		all.Go(func() {
			if err := fetchSome(ctx, s, set, size, n, &next); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return 0, fmt.Errorf("%s: loading: %w", s.name, context.Cause(ctx))
	}
	rate = float64(n) / time.Since(began).Seconds()
	return rate, l.settle(s, n)
}

func fetchSome(ctx context.Context, s *server, set string, size, n int, next *atomic.Int64) error {
	c, err := dial(s.http)
	if err != nil {
		return err
	}
	defer c.Close()
	for ctx.Err() == nil {
		i := int(next.Add(1) - 1)
		if i >= n {
			return nil
		}
		if _, _, err := c.fetch(object{set: set, size: size, number: i}); err != nil {
			return err
		}
	}
	return nil
}

// settleTime lets a server finish what loading left behind: a collection of
// garbage, a log.
const settleTime = 2 * time.Second

// settle waits for a server to come to rest and checks that it has kept n
// objects.
func (l *lab) settle(s *server, n int) error {
	if err := errors.Join(s.rewindLog(), l.pause(settleTime)); err != nil {
		return err
	}
	if s.fill == nil {
		return nil
	}
	f, err := s.fill()
	if err != nil {
		return err
	}
	if float64(f.objects) < (1-mostMisses)*float64(n) {
		l.report.note(finding{
			Fatal: true, Where: s.name + ", full cache", Kind: "kept", worst: -float64(f.objects),
			Text: fmt.Sprintf("it keeps %d of %d objects (%d evicted)", f.objects, n, f.evicted),
		})
	}
	return nil
}
