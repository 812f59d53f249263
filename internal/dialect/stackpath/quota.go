package stackpath

import (
	"slices"
	"sync"
	"time"
)

// Quota counts the URIs that accounts purge. Its method is called from many
// goroutines and must not wait.
type Quota interface {
	// Take counts n URIs of an account at now, all or none. Where they are too
	// many, none is counted, and wait is how long until the account may purge
	// again: until n fit, or, where n never will, until nothing is counted.
	Take(account string, n int, now time.Time) (wait time.Duration)
}

// DefaultPerMinute is StackPath's own limit of URIs an account and minute.
const DefaultPerMinute = 100

// window is the time over which URIs are counted.
const window = time.Minute

// Window is a Quota of at most so many URIs of an account in any minute. The
// zero Window has the limit DefaultPerMinute and counts on this node alone. What
// other nodes accept at the same moment is not known yet: it counts a moment
// later.
type Window struct {
	// Elsewhere returns what an account took on other nodes after an instant, as
	// far as this one knows, in any order. nil: there are no others.
	Elsewhere func(account string, after time.Time) []Taken

	mu struct {
		sync.Mutex
		limit int                // as SetPerMinute has it
		taken map[string][]Taken // oldest first; at most as many entries each as the limit
	}
}

// SetPerMinute changes the limit and leaves what was taken; 0: DefaultPerMinute,
// negative: no limit.
func (w *Window) SetPerMinute(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.limit = n
}

// Taken is a number of URIs that were purged at once.
type Taken struct {
	At time.Time
	N  int
}

// maxIdle bounds the accounts that are remembered without need: beyond it,
// those with nothing in the window are forgotten. An account is a token, so there
// are not more than these.
const maxIdle = 1024

// Take implements Quota.
func (w *Window) Take(account string, n int, now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	limit := w.mu.limit
	switch {
	case limit < 0:
		return 0
	case limit == 0:
		limit = DefaultPerMinute
	}
	if w.mu.taken == nil {
		w.mu.taken = make(map[string][]Taken)
	}
	own := w.recentLocked(account, now)
	recent := own
	if w.Elsewhere != nil {
		recent = append(slices.Clone(own), w.Elsewhere(account, now.Add(-window))...)
		slices.SortFunc(recent, func(a, b Taken) int { return a.At.Compare(b.At) })
	}
	used := 0
	for _, t := range recent {
		used += t.N
	}
	if used+n <= limit {
		w.mu.taken[account] = append(own, Taken{now, n})
		return 0
	}
	return waitFor(recent, used+n-limit, now)
}

// recentLocked returns what an account took within the window, and forgets the
// rest.
func (w *Window) recentLocked(account string, now time.Time) []Taken {
	if len(w.mu.taken) > maxIdle {
		for name, list := range w.mu.taken {
			if len(list) == 0 || now.Sub(list[len(list)-1].At) >= window {
				delete(w.mu.taken, name)
			}
		}
	}
	list := w.mu.taken[account]
	for len(list) > 0 && now.Sub(list[0].At) >= window {
		list = list[1:]
	}
	w.mu.taken[account] = list
	return list
}

// waitFor returns how long until excess URIs have left the window. More than
// are in it cannot: then it is how long until it is empty, and a whole one where
// it is, so that a call that is too large is not repeated at once.
func waitFor(recent []Taken, excess int, now time.Time) time.Duration {
	last := now
	for _, t := range recent {
		last = t.At
		if excess -= t.N; excess <= 0 {
			break
		}
	}
	return last.Add(window).Sub(now)
}
