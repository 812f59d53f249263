package main

import (
	"fmt"
	"time"
)

const (
	hugeSet = "huge"
	// hugeSize is the body of each of very many objects, in bytes.
	hugeSize = 100
)

// hugeMemory is what a node takes for n such objects, and some more.
func hugeMemory(n int) int64 { return int64(n)*1280 + 256<<20 }

// measureHuge compares the delays of a cache with very many objects with those
// of one with few, in turns.
func measureHuge(l *lab) error {
	n := l.plan.huge
	if err := needMemory(hugeMemory(n)); err != nil {
		return err
	}
	few, err := l.fillHuge(latencyObjects)
	if err != nil {
		return err
	}
	many, err := l.fillHuge(n)
	if err != nil {
		return err
	}
	if few.trial, err = l.newTrial(few.trial.server, hugeSample(latencyObjects)); err != nil {
		return err
	}
	if many.trial, err = l.newTrial(many.trial.server, hugeSample(n)); err != nil {
		return err
	}
	highest := [2]float64{2 * few.trial.rate, 2 * many.trial.rate}
	many.trial.rate = few.trial.rate
	began, offset := time.Now(), outputSize(many.trial.server)
	for range l.plan.rounds {
		for _, f := range []*hugeFigures{&few, &many} {
			p99, err := l.p99(f.trial)
			if err != nil {
				return err
			}
			f.p99.add(p99)
		}
	}
	if err := l.remarkGC(many.trial.server, "during its hits and those of the other", offset, time.Since(began)); err != nil {
		return err
	}
	const chapter = "Very many objects"
	l.report.note(judgeSpread("99th percentile", few.p99)...)
	l.report.note(judgeSpread("99th percentile", many.p99)...)
	l.report.compare(comparison{
		Chapter: chapter, Unit: microseconds, Subject: many.p99, Peer: few.p99, Aim: atMost(1.2),
		What: fmt.Sprintf("99th percentile at %s a second, %s URLs all over the cache", figure(few.trial.rate), thousands(latencyObjects)),
	})
	l.report.compare(comparison{
		Chapter: chapter, What: "highest rate of that generator", Unit: perSecond,
		Subject: series{Name: many.p99.Name, Samples: highest[1:]}, Peer: series{Name: few.p99.Name, Samples: highest[:1]},
	})
	l.report.compare(comparison{
		Chapter: chapter, What: fmt.Sprintf("resident, objects of %d bytes", hugeSize), Unit: "bytes/object", Subject: many.held,
	})
	return l.dismiss()
}

// hugeFigures are what is measured of one node.
type hugeFigures struct {
	trial *trial
	p99   series
	held  series
}

// fillHuge starts a node and fills it with n objects.
func (l *lab) fillHuge(n int) (hugeFigures, error) {
	name := fmt.Sprintf("%s with %s objects", rescindName, thousands(int64(n)))
	f := hugeFigures{p99: series{Name: name}, held: series{Name: name}}
	servers, err := l.start(settings{memory: hugeMemory(n), gcTrace: true}, startRescind)
	if err != nil {
		return f, err
	}
	s := servers[0]
	s.name = name
	empty, err := s.heldBy()
	if err != nil {
		return f, err
	}
	began, offset := time.Now(), outputSize(s)
	if err := l.fillUpWide(s, hugeSet, hugeSize, n); err != nil {
		return f, err
	}
	if err := l.remarkGC(s, "while it was loaded", offset, time.Since(began)); err != nil {
		return f, err
	}
	now, err := s.heldBy()
	if err != nil {
		return f, err
	}
	f.held.add(float64(now-empty) / float64(n))
	f.trial = &trial{server: s}
	return f, nil
}

// hugeSample is some of n objects, from all over the cache.
func hugeSample(n int) []object {
	sample := make([]object, latencyObjects)
	for i := range sample {
		sample[i] = object{set: hugeSet, size: hugeSize, number: i * (n / latencyObjects)}
	}
	return sample
}
