package edge

import (
	"slices"
	"sync"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/shield"
)

// maxRecent is how many purges of a service are remembered by name. A shield that
// has confirmed none of them has to compare all that it knows with this node: at a
// thousand purges of one service a second, a round trip of half a second to it
// brings about so many.
const maxRecent = 1024

// Log remembers the purges that this node has applied lately, by service. It
// implements control.Applied. Its methods may be called from many goroutines.
type Log struct {
	mu struct {
		sync.Mutex
		floor    field.Position // nothing before it is remembered by name
		services map[string]*recent
	}
}

// recent are the last purges of one service, in order of position.
type recent struct {
	floor field.Position // of those up to it, names are forgotten
	list  []applied
}

type applied struct {
	at field.Position
	id journal.ID
}

// Purge implements control.Applied.
func (l *Log) Purge(service string, at field.Position, id journal.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.services == nil {
		l.mu.services = make(map[string]*recent)
	}
	r := l.mu.services[service]
	if r == nil {
		r = &recent{floor: l.mu.floor}
		l.mu.services[service] = r
	}
	if len(r.list) == maxRecent {
		half := r.list[maxRecent/2:] // not one by one: each would move all others
		r.floor = r.list[maxRecent/2-1].at
		r.list = append(make([]applied, 0, maxRecent), half...) // others may be reading the old one
	}
	r.list = append(r.list, applied{at, id})
}

// Everything implements control.Applied.
func (l *Log) Everything(at field.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.floor = at
	clear(l.mu.services)
}

// recent returns the purges of a service that are remembered, and up to where they
// are not. What it returns does not change; whoever applies purges waits for
// nothing but this.
func (l *Log) recent(service string) (list []applied, floor field.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.mu.services[service]; r != nil {
		return r.list, r.floor
	}
	return nil, l.mu.floor
}

// since says what a shield must know that has confirmed all purges of a service up
// to a position: those after since, up to at, which are entries. based is false
// where it has not confirmed since either.
func (l *Log) since(service string, confirmed field.Position) (since, at field.Position, entries []journal.Range, based bool) {
	list, floor := l.recent(service)
	since, at = floor, floor
	if len(list) > 0 {
		at = list[len(list)-1].at
	}
	if confirmed >= since {
		since, based = confirmed, true
	}
	i, _ := slices.BinarySearchFunc(list, since+1, func(a applied, p field.Position) int {
		switch {
		case a.at < p:
			return -1
		case a.at > p:
			return 1
		}
		return 0
	})
	if list = list[i:]; len(list) == 0 {
		return since, max(since, at), nil, based
	}
	if entries = rangesOf(list); entries == nil {
		return at, at, nil, false // too many to name: all that this node knows is to be compared
	}
	return since, at, entries, based
}

// rangesOf names purges by runs of their sequence numbers; nil: there are more
// than shield.MaxSpans. Where exact runs are too many, what lies between the first
// and the last purge of an issuer is named too: this node may know it or not, and
// a shield that knows more than it must is none the worse.
func rangesOf(list []applied) []journal.Range {
	ids := make([]journal.ID, len(list))
	for i := range list {
		ids[i] = list[i].id
	}
	slices.SortFunc(ids, func(a, b journal.ID) int {
		if c := a.Incarnation.Compare(b.Incarnation); c != 0 {
			return c
		}
		switch {
		case a.Seq < b.Seq:
			return -1
		case a.Seq > b.Seq:
			return 1
		}
		return 0
	})
	exact, spans := runs(ids, false)
	if spans > shield.MaxSpans {
		exact, spans = runs(ids, true)
	}
	if spans > shield.MaxSpans {
		return nil
	}
	return exact
}

// runs joins sorted ids to ranges, and counts their spans.
func runs(ids []journal.ID, whole bool) (out []journal.Range, spans int) {
	for _, id := range ids {
		n := len(out)
		if n == 0 || out[n-1].Incarnation != id.Incarnation {
			out = append(out, journal.Range{Incarnation: id.Incarnation, Spans: journal.Spans{{First: id.Seq, Last: id.Seq}}})
			spans++
			continue
		}
		last := &out[n-1].Spans[len(out[n-1].Spans)-1]
		if whole || id.Seq <= last.Last+1 {
			last.Last = id.Seq
			continue
		}
		out[n-1].Spans = append(out[n-1].Spans, journal.Span{First: id.Seq, Last: id.Seq})
		spans++
	}
	return out, spans
}
