package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// loaders are the connections that fill a cache: enough to keep its core busy.
const loaders = 32

// filling a cache takes minutes; every so often it says how far it is, and the
// access log, which is in memory, is emptied.
const fillEvery = 10 * time.Second

// fillUp fetches objects 0 to n-1 of a set through a server, once each, and
// returns how many a second came through.
func (l *lab) fillUp(s *server, set string, size, n int) (rate float64, err error) {
	l.progress("  %s: loading %s objects", s.name, thousands(int64(n)))
	ctx, cancel := context.WithCancelCause(l.ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all, watch sync.WaitGroup
	began, then := time.Now(), l.costOf(s)
	for range loaders {
		all.Go(func() {
			if err := fetchSome(ctx, s, set, size, n, &next); err != nil {
				cancel(err)
			}
		})
	}
	loaded := make(chan struct{})
	watch.Go(func() {
		if err := l.watchFilling(s, n, &next, loaded); err != nil {
			cancel(err)
		}
	})
	all.Wait()
	took := time.Since(began)
	close(loaded)
	watch.Wait()
	if ctx.Err() != nil {
		return 0, fmt.Errorf("%s: loading: %w", s.name, context.Cause(ctx))
	}
	rate = float64(n) / took.Seconds()
	cost := l.costOf(s)
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(n) }
	l.progress("    %.0f a second; one took %.1f µs of %s, %.1f of the origin, %.1f of the client",
		rate, each(cost.server-then.server), s.name, each(cost.origin-then.origin), each(cost.client-then.client))
	return rate, l.settle(s, n)
}

// fillUpWide is fillUp with all cores for the server, where it is not measured
// how long that takes.
func (l *lab) fillUpWide(s *server, set string, size, n int) error {
	if err := s.moveTo("0-" + strconv.Itoa(l.cores-1)); err != nil {
		return err
	}
	if _, err := l.fillUp(s, set, size, n); err != nil {
		return err
	}
	if err := s.moveTo(l.serverCore); err != nil {
		return err
	}
	return l.pause(settleTime) // Go sees within a second how many cores it has
}

// moveTo lets a server's processes run on some cores only.
func (s *server) moveTo(cores string) error {
	for _, m := range s.family {
		if _, err := readStat(m.pid); err != nil {
			continue // it has ended
		}
		out, err := exec.Command("taskset", "-apc", cores, strconv.Itoa(m.pid)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: taskset: %w\n%s", s.name, err, out)
		}
	}
	return nil
}

// loadCost is the time of processors that some took so far.
type loadCost struct{ server, origin, client time.Duration }

func (l *lab) costOf(s *server) (c loadCost) {
	c.server, c.origin = cpuOf(s.family), cpuOf(l.origin.family())
	if stat, err := readStat(os.Getpid()); err == nil {
		c.client = stat.cpu
	}
	return c
}

func (l *lab) watchFilling(s *server, n int, next *atomic.Int64, loaded <-chan struct{}) error {
	beat := time.NewTicker(fillEvery)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			if done := next.Load(); done < int64(n) {
				l.progress("    %s", thousands(done))
			}
			if err := s.rewindLog(); err != nil {
				return err
			}
		case <-loaded:
			return nil
		}
	}
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
