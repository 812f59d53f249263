package live

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Top counts in panes, of which the oldest is forgotten as a whole: together
// they are the last minute, less at most one pane.
const (
	panes    = 6
	paneTime = 10 * time.Second
)

// Bounds of a Top. What has more than one in maxCounted of a pane's requests is
// counted for certain; at most 2 MiB of names are kept.
const (
	maxCounted   = 512
	maxNameBytes = 512
)

// Hot is a name with its share of the last minute.
type Hot struct {
	Service, Name string
	Count         uint64  // requests: an estimate, that may be too high
	Over          uint64  // by how much it may be too high, sampling apart
	Rate          float64 // requests a second
}

// Top finds what is asked for most: URLs, surrogate keys, whatever has a name.
// The zero Top is ready for use. Its methods may be called from many goroutines
// at once, for what a Sampler took: they lock.
type Top struct {
	mu struct {
		sync.Mutex
		began time.Time // first Add
		panes [panes]pane
	}
}

// pane is what was counted in one stretch of paneTime.
type pane struct {
	number int64 // since 1970
	counts summary
}

// Add counts a request for a name of a service, as the weight that Take gave
// it. It copies what it keeps; names past 512 bytes are cut and end in three
// dots.
func (t *Top) Add(now time.Time, weight uint64, service, name string) {
	if len(name) > maxNameBytes {
		name = name[:maxNameBytes-3] + "..."
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	number := now.UnixNano() / int64(paneTime)
	p := &t.mu.panes[number%panes]
	switch {
	case p.number > number:
		return // of a minute ago
	case p.number < number:
		p.number = number
		p.counts.reset()
	}
	if t.mu.began.IsZero() {
		t.mu.began = now
	}
	p.counts.add(label{service, name}, weight)
}

// Hottest returns the at most n names that were asked for most in the last
// minute, hottest first, of the services that of is true for; nil: of all. It
// leaves out names of which more than half may be others' requests.
func (t *Top) Hottest(now time.Time, n int, of func(service string) bool) []Hot {
	totals, seconds := t.totals(now)
	list := make([]Hot, 0, len(totals))
	for id, c := range totals {
		if c.over*2 <= c.n && (of == nil || of(id.service)) {
			list = append(list, Hot{id.service, id.name, c.n, c.over, float64(c.n) / seconds})
		}
	}
	slices.SortFunc(list, func(a, b Hot) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name), strings.Compare(a.Service, b.Service))
	})
	return list[:min(len(list), max(n, 0))]
}

type total struct{ n, over uint64 }

// totals adds the panes of the last minute up, and returns how many seconds
// they cover.
func (t *Top) totals(now time.Time) (sums map[label]total, seconds float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sums = make(map[label]total)
	current := now.UnixNano() / int64(paneTime)
	first := current - panes + 1
	for i := range t.mu.panes {
		p := &t.mu.panes[i]
		if p.number < first || p.number > current {
			continue
		}
		for _, c := range p.counts.heap {
			sum := sums[c.label]
			sums[c.label] = total{sum.n + c.n, sum.over + c.over}
		}
	}
	since := time.Unix(0, first*int64(paneTime))
	if t.mu.began.After(since) {
		since = t.mu.began
	}
	return sums, max(now.Sub(since), time.Second).Seconds()
}
