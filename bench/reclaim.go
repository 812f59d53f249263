package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// mostReclaim bounds how long the space of purged objects is waited for.
const mostReclaim = 3 * time.Minute

// reclaimLook is how often it is looked whether the space is back. Asking Varnish
// starts a program each time.
const reclaimLook = 250 * time.Millisecond

// watchReclaim measures hits while a server frees what a purge withdrew, and how
// long that takes. Only turns in which objects were freed count.
func (l *lab) watchReclaim(s *server, began time.Time, f *fullFigures) error {
	r := reclaim{rest: int64(2*mixed + groupPurges)} // what is asked for, and what was fetched again
	ended := make(chan error, 1)
	go func() { ended <- r.watch(l, s, began) }()
	for {
		before := r.left.Load()
		var rate series
		if err := l.hitsTurn(s, &rate); err != nil {
			return errors.Join(err, <-ended)
		}
		if r.left.Load() < before {
			f.reclaiming.add(rate.median())
		}
		select {
		case err := <-ended:
			if err != nil {
				return err
			}
			r.report(l, s, &f.reclaimed)
			return nil
		default:
		}
	}
}

// reclaim is how a server frees what a purge withdrew.
type reclaim struct {
	rest  int64        // objects that remain
	left  atomic.Int64 // objects there are
	first time.Duration
	took  time.Duration // 0: not within mostReclaim
}

// watch looks until only the rest is left.
func (r *reclaim) watch(l *lab, s *server, began time.Time) error {
	for most := int64(0); time.Since(began) < mostReclaim; {
		f, err := s.fill()
		if err != nil {
			return err
		}
		r.left.Store(f.objects)
		if most = max(most, f.objects); f.objects < most-most/100 && r.first == 0 {
			r.first = time.Since(began)
		}
		if f.objects <= r.rest {
			r.took = time.Since(began)
			return nil
		}
		if err := l.pause(reclaimLook); err != nil {
			return err
		}
	}
	return nil
}

func (r *reclaim) report(l *lab, s *server, took *series) {
	if r.took == 0 {
		l.report.note(finding{
			Where: s.name + ", clearing up", Kind: "reclaim",
			Text: fmt.Sprintf("%s objects were still there after %v", thousands(r.left.Load()), mostReclaim),
		})
		return
	}
	took.add(r.took.Seconds())
	l.report.remark("%s began to free what was purged after %.1f s and had done so %.1f s later", s.name, r.first.Seconds(), (r.took - r.first).Seconds())
}
