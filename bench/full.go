package main

import (
	"errors"
	"fmt"
	"time"
)

// fullSet is the set that fills a cache; what is asked for meanwhile is of
// another, so that it survives its purge.
const fullSet = "full"

const fullSize = 1 << 10

// bytesFor is memory for a cache of n objects of 1 KB in any of the servers.
func bytesFor(n int) int64 { return int64(n)*4096 + 256<<20 }

// fullFigures are what is measured of one server with a full cache.
type fullFigures struct {
	loaded, held, heldAgain series // objects/s; bytes an object
	single, group, all      purgeCost
	idle, reclaiming        series // requests/s
	reclaimed               series // seconds
}

// measureFull compares caches of many objects: memory, purges, and what their
// clearing up costs hits. One server is up at a time.
func measureFull(l *lab) error {
	if err := needMemory(2 * bytesFor(l.plan.objects)); err != nil {
		return err
	}
	rescind, err := l.measureFullOf(startRescind)
	if err != nil {
		return err
	}
	varnish, err := l.measureFullOf(startVarnish)
	if err != nil {
		return err
	}
	l.report.remark("with %s objects, purges can be undone for 1 s, not for a minute as by default: until then Rescind keeps what they withdrew",
		thousands(int64(l.plan.objects)))
	l.report.remark("%s's purges of all of them were undone, but for the last, and so withdrew all of them again; %s's could be repeated after loading only", rescindName, varnishName)
	nginx, err := l.measureFullNginx()
	if err != nil {
		return err
	}
	n := l.plan.objects
	l.comparePurges(n, 1, rescind.single, varnish.single)
	l.comparePurges(n, groupSize, rescind.group, varnish.group)
	l.comparePurges(n, n, rescind.all, varnish.all)

	clearing := fmt.Sprintf("Clearing up after a purge of %s objects", thousands(int64(n)))
	clearAims := map[string]aim{rescindName: atLeast(0.9)}
	for _, f := range []fullFigures{rescind, varnish} {
		l.report.compare(comparison{
			Chapter: clearing, What: "hits of others meanwhile, 1 KB, 1,000 URLs", Unit: perSecond, Subject: f.reclaiming, Peer: f.idle,
			Aim: clearAims[f.reclaimed.Name],
		})
	}
	l.report.compare(comparison{
		Chapter: clearing, What: "until the space is back", Unit: "s", Subject: rescind.reclaimed, Peer: varnish.reclaimed,
	})

	memory := fmt.Sprintf("Memory for %s objects of 1 KB", thousands(int64(n)))
	aims := map[string]aim{varnishName: atMost(1)}
	for _, peer := range []fullFigures{varnish, nginx} {
		l.report.compare(comparison{
			Chapter: memory, What: "resident, loaded once", Unit: "bytes/object", Subject: rescind.held, Peer: peer.held, Aim: aims[peer.held.Name],
		})
	}
	l.report.compare(comparison{
		Chapter: memory, What: "resident, purged and loaded again", Unit: "bytes/object", Subject: rescind.heldAgain, Peer: varnish.heldAgain, Aim: atMost(1),
	})
	for _, peer := range []fullFigures{varnish, nginx} {
		l.report.compare(comparison{
			Chapter: memory, What: "loading, by one client program", Unit: "objects/s", Subject: rescind.loaded, Peer: peer.loaded,
		})
	}
	return nil
}

// measureFullOf measures one server that purges by key.
func (l *lab) measureFullOf(way func(*lab, settings) (*server, error)) (fullFigures, error) {
	n := l.plan.objects
	servers, err := l.start(settings{memory: bytesFor(n), undoWindow: time.Second, gcTrace: true}, way)
	if err != nil {
		return fullFigures{}, err
	}
	s := servers[0]
	f := newFullFigures(s.name)
	hot := objectsOf("hot", fullSize, mixed)
	if err := s.warm(hot...); err != nil {
		return f, err
	}
	empty, err := s.heldBy()
	if err != nil {
		return f, err
	}
	if err := l.loadAndWeigh(s, empty, &f.loaded, &f.held); err != nil {
		return f, err
	}
	if err := l.hitsOfFull(s, &f.idle); err != nil {
		return f, err
	}
	if f.single, err = s.purgeSingles(fullSet, fullSize, n); err != nil {
		return f, err
	}
	if f.group, err = s.purgeGroups(fullSet, fullSize); err != nil {
		return f, err
	}
	var began time.Time
	if f.all, began, err = s.purgeSet(fullSet, fullSize); err != nil {
		return f, err
	}
	if err := l.watchReclaim(s, began, &f); err != nil {
		return f, err
	}
	if err := l.fillUpWide(s, fullSet, fullSize, n); err != nil {
		return f, err
	}
	if err := l.weigh(s, empty, &f.heldAgain); err != nil {
		return f, err
	}
	again, _, err := s.purgeSet(fullSet, fullSize)
	f.all.call.Samples = append(f.all.call.Samples, again.call.Samples...)
	f.all.visible.Samples = append(f.all.visible.Samples, again.visible.Samples...)
	return f, errors.Join(err, l.dismiss())
}

func newFullFigures(name string) fullFigures {
	of := func(what string) series { return series{Name: name + what} }
	return fullFigures{
		loaded: of(""), held: of(""), heldAgain: of(""),
		idle: of(", at rest"), reclaiming: of(", clearing up"), reclaimed: of(""),
	}
}

// loadAndWeigh fills a cache and notes the rate, and the bytes an object.
func (l *lab) loadAndWeigh(s *server, empty int64, rate, held *series) error {
	began, offset := time.Now(), outputSize(s)
	loaded, err := l.fillUp(s, fullSet, fullSize, l.plan.objects)
	if err != nil {
		return err
	}
	rate.add(loaded)
	if err := l.remarkGC(s, "while it was loaded", offset, time.Since(began)); err != nil {
		return err
	}
	if err := l.weigh(s, empty, held); err != nil {
		return err
	}
	began, offset = time.Now(), outputSize(s)
	if err := l.pause(restTime); err != nil {
		return err
	}
	return l.remarkGC(s, "at rest", offset, time.Since(began))
}

// restTime is how long a full cache is watched at rest.
const restTime = 5 * time.Second

// weigh notes the bytes of memory an object.
func (l *lab) weigh(s *server, empty int64, held *series) error {
	now, err := s.heldBy()
	if err != nil {
		return err
	}
	held.add(float64(now-empty) / float64(l.plan.objects))
	return nil
}

// hitsOfFull measures hits beside what fills the cache, in turns of a second, as
// many as those of the other rounds are long.
func (l *lab) hitsOfFull(s *server, rate *series) error {
	began, offset := time.Now(), outputSize(s)
	for range l.plan.rounds {
		if err := l.hitsTurn(s, rate); err != nil {
			return err
		}
	}
	return l.remarkGC(s, "during hits with a full cache", offset, time.Since(began))
}

func (l *lab) hitsTurn(s *server, rate *series) error {
	did, err := l.take(turn{server: s, what: "hits with a full cache", size: fullSize, run: func() (load, error) {
		return wrkLoad{base: "http://" + s.http, requests: requestsOf("hot", "1k", mixed), duration: shortestRound}.run(l)
	}})
	if err == nil {
		rate.add(did.rate())
	}
	return err
}

// measureFullNginx weighs nginx, which cannot purge by key.
func (l *lab) measureFullNginx() (fullFigures, error) {
	servers, err := l.start(settings{memory: 2 * bytesFor(l.plan.objects)}, startNginx)
	if err != nil {
		return fullFigures{}, err
	}
	s := servers[0]
	f := newFullFigures(s.name + ", files included")
	empty, err := s.heldByNginx()
	if err != nil {
		return f, err
	}
	rate, err := l.fillUp(s, fullSet, fullSize, l.plan.objects)
	if err != nil {
		return f, err
	}
	f.loaded.add(rate)
	now, err := s.heldByNginx()
	if err != nil {
		return f, err
	}
	f.held.add(float64(now-empty) / float64(l.plan.objects))
	return f, l.dismiss()
}
