package fetch

import (
	"sync"
	"sync/atomic"
)

// maxSpare bounds the goroutines that wait for a flight to carry out. Each keeps
// the few kilobytes of stack that a flight needs, and so many are enough for as
// many fetches at once; what is beyond is started when it is needed.
const maxSpare = 64

// runners are goroutines that carry flights out, one after another: one that
// began anew for each would have to grow its stack each time.
type runners struct {
	next    chan *flight // to one that waits
	waiting atomic.Int32
	done    chan struct{} // closed at the end
	stop    func()        // closes done, once
	all     sync.WaitGroup
}

func newRunners() *runners {
	r := &runners{next: make(chan *flight), done: make(chan struct{})}
	r.stop = sync.OnceFunc(func() { close(r.done) })
	return r
}

// run has a flight carried out. It must not be called after close.
func (r *runners) run(fl *flight) {
	select {
	case r.next <- fl:
	default:
		r.all.Go(func() { r.work(fl) })
	}
}

func (r *runners) work(fl *flight) {
	for fl != nil {
		fl.run()
		fl = r.wait()
	}
}

// wait returns the next flight, nil where there is enough who wait for one.
func (r *runners) wait() *flight {
	defer r.waiting.Add(-1)
	if r.waiting.Add(1) > maxSpare {
		return nil
	}
	select {
	case fl := <-r.next:
		return fl
	case <-r.done:
		return nil
	}
}

// close ends those that wait. No flight may be under way.
func (r *runners) close() {
	r.stop()
	r.all.Wait()
}
