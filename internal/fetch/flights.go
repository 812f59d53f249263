package fetch

import "slices"

// joinLocked picks a flight that the request may share, or nil. It skips those in
// refused. The caller holds f.mu.
func (f *Fetcher) joinLocked(r *Request, refused []*flight) *flight {
	for _, fl := range f.mu.flights[r.Key] {
		if !slices.Contains(refused, fl) && fl.admits(r) {
			return fl
		}
	}
	return nil
}

func (f *Fetcher) startLocked(fl *flight) {
	f.running.Add(1)
	if fl.next = f.mu.running; fl.next != nil {
		fl.next.prev = fl
	}
	f.mu.running = fl
	f.runners.run(fl)
}

// forget is told that a flight is over.
func (f *Fetcher) forget(fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unlistLocked(fl)
	if fl.next != nil {
		fl.next.prev = fl.prev
	}
	if fl.prev != nil {
		fl.prev.next = fl.next
	} else {
		f.mu.running = fl.next
	}
}

// unlist makes a flight unknown to requests to come.
func (f *Fetcher) unlist(fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unlistLocked(fl)
}

func (f *Fetcher) unlistLocked(fl *flight) {
	if !fl.listed {
		return
	}
	fl.listed = false
	list := f.mu.flights[fl.key]
	for i := range list {
		if list[i] == fl {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(f.mu.flights, fl.key)
		return
	}
	f.mu.flights[fl.key] = list
}
