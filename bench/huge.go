package main

import "fmt"

const hugeSet = "huge"

// hugeSize is the body of each of very many objects, in bytes.
const hugeSize = 100

// measureHuge compares the delays of a cache with very many objects with those
// of one with few.
func measureHuge(l *lab) error {
	few, err := l.hugeDelays(latencyObjects, 0)
	if err != nil {
		return err
	}
	many, err := l.hugeDelays(l.plan.huge, few.rate)
	if err != nil {
		return err
	}
	l.report.compare(comparison{
		Chapter: "Very many objects", Unit: microseconds, Subject: many.p99, Peer: few.p99, Aim: atMost(1.2),
		What: fmt.Sprintf("99th percentile at %s a second, %s URLs all over the cache", figure(few.rate), thousands(latencyObjects)),
	})
	l.report.compare(comparison{
		Chapter: "Very many objects", What: fmt.Sprintf("resident, objects of %d bytes", hugeSize), Unit: "bytes/object", Subject: many.held,
	})
	return nil
}

type hugeFigures struct {
	rate float64
	p99  series
	held series
}

// hugeDelays measures a node with n objects at a rate; 0 means half of its
// highest.
func (l *lab) hugeDelays(n int, rate float64) (hugeFigures, error) {
	name := fmt.Sprintf("%s with %s objects", rescindName, thousands(int64(n)))
	f := hugeFigures{p99: series{Name: name}, held: series{Name: name}}
	memory := int64(n)*2048 + 256<<20
	if err := needMemory(memory); err != nil {
		return f, err
	}
	servers, err := l.start(settings{memory: memory}, startRescind)
	if err != nil {
		return f, err
	}
	s := servers[0]
	empty, err := s.heldBy()
	if err != nil {
		return f, err
	}
	if _, err := l.fillUp(s, hugeSet, hugeSize, n); err != nil {
		return f, err
	}
	now, err := s.heldBy()
	if err != nil {
		return f, err
	}
	f.held.add(float64(now-empty) / float64(n))
	sample := make([]object, latencyObjects)
	for i := range sample {
		sample[i] = object{set: hugeSet, size: hugeSize, number: i * (n / latencyObjects)}
	}
	t, err := l.newTrial(s, sample)
	if err != nil {
		return f, err
	}
	if rate > 0 {
		t.rate = rate
	}
	f.rate = t.rate
	for range l.plan.rounds {
		p99, err := l.p99(t)
		if err != nil {
			return f, err
		}
		f.p99.add(p99)
	}
	l.report.note(judgeSpread("99th percentile", f.p99)...)
	return f, l.dismiss()
}
