package main

import (
	"errors"
	"fmt"
	"time"
)

const (
	// How many purges of each kind are timed.
	singlePurges = 200
	groupPurges  = 20
)

// purgeCost is what purges of one kind took, in µs.
type purgeCost struct {
	call    series // until the call was answered
	visible series // until a GET that began after that had the new content
}

// measurePurges compares purges of keys of few objects.
func measurePurges(l *lab) error {
	servers, err := l.start(settings{}, startRescind, startVarnish)
	if err != nil {
		return err
	}
	const set, objects = "purge", groupPurges * groupSize
	var single, group [2]purgeCost
	for i, s := range servers {
		if _, err := l.fillUp(s, set, 100, objects); err != nil {
			return err
		}
		if single[i], err = s.purgeSingles(set, 100, objects); err != nil {
			return err
		}
		if group[i], err = s.purgeGroups(set, 100); err != nil {
			return err
		}
	}
	l.comparePurges(objects, 1, single[0], single[1])
	l.comparePurges(objects, groupSize, group[0], group[1])
	return l.dismiss()
}

// comparePurges adds the lines for purges of a key of n objects, in a cache of
// some.
func (l *lab) comparePurges(cache, n int, a, b purgeCost) {
	const chapter = "Purging by key"
	what := fmt.Sprintf("key of %s of %s objects: ", thousands(int64(n)), thousands(int64(cache)))
	l.report.compare(comparison{Chapter: chapter, What: what + "call", Unit: microseconds, Subject: a.call, Peer: b.call})
	l.report.compare(comparison{Chapter: chapter, What: what + "new content", Unit: microseconds, Subject: a.visible, Peer: b.visible})
}

// purgeSingles times purges of keys of one object, all over a set of n.
func (s *server) purgeSingles(set string, size, n int) (purgeCost, error) {
	return s.timePurges(singlePurges, func(i int) (string, object) {
		o := object{set: set, size: size, number: i * (n / singlePurges)}
		return o.key(), o
	})
}

// purgeGroups times purges of the keys of the first groups of a set.
func (s *server) purgeGroups(set string, size int) (purgeCost, error) {
	return s.timePurges(groupPurges, func(i int) (string, object) {
		return groupKey(set, i), object{set: set, size: size, number: i*groupSize + groupSize/2}
	})
}

// purgeSet times the purge of a whole set, and says when it began. Where the
// server can undo purges, it is the last of several, each of which withdraws the
// whole set again.
func (s *server) purgeSet(set string, size int) (cost purgeCost, began time.Time, err error) {
	cost = newPurgeCost(s.name)
	for i := range groupPurges {
		began = time.Now()
		o := object{set: set, size: size, number: (groupPurges+i)*groupSize + groupSize/3} // of a group that was not purged
		one, err := s.timePurges(1, func(int) (string, object) { return setKey(set), o })
		if err != nil {
			return cost, began, err
		}
		cost.call.add(one.call.median())
		cost.visible.add(one.visible.median())
		if s.undo == nil || i == groupPurges-1 {
			break
		}
		o.number++
		if err := s.undoAndSee(o); err != nil {
			return cost, began, err
		}
	}
	return cost, began, nil
}

// undoAndSee undoes the last purge and checks that an object is back.
func (s *server) undoAndSee(o object) error {
	if err := s.undo(); err != nil {
		return err
	}
	c, err := dial(s.http)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, a, err := c.fetch(o); err != nil || !a.cached {
		return errors.Join(err, fmt.Errorf("%s: %s is not back after its purge was undone", s.name, o.path()))
	}
	return nil
}

func newPurgeCost(name string) purgeCost {
	return purgeCost{call: series{Name: name}, visible: series{Name: name}}
}

// timePurges times n purges. which returns the key of one and an object that
// has it.
func (s *server) timePurges(n int, which func(i int) (string, object)) (purgeCost, error) {
	cost := newPurgeCost(s.name)
	reader, err := dial(s.http)
	if err != nil {
		return cost, err
	}
	defer reader.Close()
	purger, err := dial(s.purging.address)
	if err != nil {
		return cost, err
	}
	defer purger.Close()
	for i := range n {
		key, o := which(i)
		old, err := s.stored(reader, o)
		if err != nil {
			return cost, err
		}
		began := time.Now()
		if err := s.purge(purger, key); err != nil {
			return cost, err
		}
		answered := time.Now()
		if err := awaitNew(reader, o, old); err != nil {
			return cost, fmt.Errorf("%s: %w", s.name, err)
		}
		cost.call.add(float64(answered.Sub(began).Nanoseconds()) / 1e3)
		cost.visible.add(float64(time.Since(began).Nanoseconds()) / 1e3)
	}
	return cost, nil
}

// stored returns the number of an object's body that the server has stored.
func (s *server) stored(c *conn, o object) (uint64, error) {
	const tries = 3
	for range tries {
		sequence, a, err := c.fetch(o)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", s.name, err)
		}
		if a.cached {
			return sequence, nil
		}
	}
	return 0, fmt.Errorf("%s does not keep %s", s.name, o.path())
}

// awaitNew asks for an object until its body is newer than an old one.
func awaitNew(c *conn, o object, old uint64) error {
	deadline := time.Now().Add(callTimeout)
	for {
		sequence, _, err := c.fetch(o)
		if err != nil {
			return err
		}
		if sequence > old {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is still the old one %v after its purge", o.path(), callTimeout)
		}
	}
}
