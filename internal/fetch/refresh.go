package fetch

import (
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/store"
)

// maxBackground bounds the background refreshes of one service under way at
// once: after a soft purge of everything, the origin gets at most so many
// requests that nobody waits for. Those that find no place leave the object
// stale for the next request to try again.
const maxBackground = 256

// Refresh renews a stored object in the background. It does nothing where a
// fetch under way will do as well: one that began after every purge that
// concerns the resource.
func (f *Fetcher) Refresh(r *Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.Began = f.Marks().Position()
	if f.mu.closed || f.refreshingLocked(r) {
		return
	}
	if f.background.Add(1) > maxBackground {
		f.background.Add(-1)
		return
	}
	f.counters.Refreshes.Add(1)
	fl := f.newFlight(r)
	fl.predict(r, "")
	fl.background, fl.listed = true, true
	f.mu.flights[r.Key] = append(f.mu.flights[r.Key], fl)
	f.startLocked(fl)
}

// refreshingLocked tells whether a fetch is under way that does for a refresh, or
// one has ended since the request looked what is stored: one that the request may
// share, or a background refresh of the variant. Whether others may share the answer
// of that is another question: it is stored, and that is what a refresh is for.
func (f *Fetcher) refreshingLocked(r *Request) bool {
	stored := f.cfg.Store.Get(r.Key, r.Matcher)
	defer stored.Release()
	if stored.Found() {
		if _, fresh := f.fresh(stored); fresh {
			return true
		}
	}
	for _, fl := range f.mu.flights[r.Key] {
		if (fl.admits(r) || fl.refreshes(r)) && !fl.outdated(r, stored) {
			return true
		}
	}
	return false
}

// refreshes tells whether the flight is a background refresh of the variant
// that no purge concerns, by its URL and the tags of the last response.
func (fl *flight) refreshes(r *Request) bool {
	return fl.background && (!fl.known || httpcache.VariantMatches(fl.variant, r.Fields)) &&
		!fl.f.Marks().Concerned(fl.expected, fl.lease.Stamp(), r.Began)
}

// outdated tells whether a purge since the flight began concerns the stored
// response, header fields included. Its own are not known before its head is;
// that those will be like the last ones is the better guess: it would be stored
// only to be fetched again.
func (fl *flight) outdated(r *Request, stored store.Object) bool {
	select {
	case <-fl.head:
		return false
	default:
		return stored.Found() && fl.f.Marks().Concerned(stored.Head, fl.lease.Stamp(), r.Began)
	}
}
