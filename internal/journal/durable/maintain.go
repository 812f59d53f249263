package durable

import (
	"context"
	"errors"
	"fmt"
)

// Maintain drops what need not be kept any more, in memory and on disk, and
// writes what waits. Call it every few seconds. The error wraps ErrNotDurable;
// whatever could not be done is done by a later call.
func (j *Journal) Maintain() error {
	j.mu.Lock()
	now := j.now()
	j.mu.set.Trim(now)
	j.trimDurableLocked()
	horizon := j.mu.state.Horizon()
	j.mu.state.Trim(now)
	if j.mu.state.Horizon() != horizon {
		j.mu.next.state(j.mu.state.Horizon(), j.mu.complete)
	}
	j.mu.Unlock()
	if j.cfg.FS == nil {
		return nil
	}
	if err := j.Sync(context.Background()); err != nil {
		return err
	}
	return j.compact()
}

// trimDurableLocked forgets rows that the set has forgotten.
func (j *Journal) trimDurableLocked() {
	for inc := range j.mu.durable {
		if _, ok := j.mu.set.Row(inc); !ok {
			delete(j.mu.durable, inc)
		}
	}
}

// compact removes the segments in which nothing is needed any more, behind a
// checkpoint of the rest of what they say.
func (j *Journal) compact() error {
	j.writing <- struct{}{}
	defer func() { <-j.writing }()
	n := j.needless()
	if n == 0 {
		return nil
	}
	c := newCommit(false)
	j.mu.Lock()
	j.generalLocked(c)
	j.mu.Unlock()
	if err := j.writeNext(); err != nil { // what the checkpoint knows of entries is on disk first
		return err
	}
	if err := j.writeCheckpoint(j.segments[n].number, c); err != nil {
		return fmt.Errorf("%w: %w", ErrNotDurable, err)
	}
	gone := j.segments[:n]
	j.segments = append([]segment(nil), j.segments[n:]...)
	var errs error
	for _, s := range gone {
		errs = errors.Join(errs, j.cfg.FS.Remove(segmentName(s.number)))
	}
	if errs != nil {
		return fmt.Errorf("journal: remove old segments: %w", errs) // Open removes what is left
	}
	return nil
}

// needless returns how many of the oldest segments are not needed. The last is
// always needed: it is being written.
func (j *Journal) needless() int {
	j.mu.Lock()
	_, dropped := j.mu.set.Arrivals()
	j.mu.Unlock()
	n := 0
	for n < len(j.segments)-1 && j.segments[n].arrivals <= dropped {
		if j.cfg.Snapshots && j.segments[n].position > j.snapshotAt {
			break
		}
		n++
	}
	return n
}
