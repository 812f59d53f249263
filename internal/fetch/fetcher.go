package fetch

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// Fetcher gets the responses of one service. Its methods may be called from
// many goroutines at once.
type Fetcher struct {
	cfg        Config
	running    sync.WaitGroup // flights
	runners    *runners
	background atomic.Int64
	counters   *Counters
	failures   *rate.Limiter // of what is logged

	mu struct {
		sync.Mutex
		flights map[field.Key][]*flight
		running *flight // the first of all that are under way
		closed  bool
	}
}

// Counters count what a Fetcher did since its start.
type Counters struct {
	Fetches     atomic.Int64 // requests sent to the origin
	Collapsed   atomic.Int64 // requests that shared another's fetch
	Refreshes   atomic.Int64 // fetches in the background
	NotChanged  atomic.Int64 // 304 answers that renewed an object
	Discarded   atomic.Int64 // 304 answers whose object a purge withdrew meanwhile
	Abandoned   atomic.Int64 // fetches given up because nobody read any more
	Failed      atomic.Int64
	IgnoredKeys atomic.Int64 // surrogate keys beyond the limits of their header
}

// ErrClosed is returned after Close.
var ErrClosed = errors.New("fetch: closed")

// New returns a Fetcher.
func New(cfg Config) *Fetcher {
	if cfg.MaxObject == 0 {
		cfg.MaxObject = DefaultMaxObject
	}
	if cfg.Window == 0 {
		cfg.Window = DefaultWindow
	}
	if cfg.Finish == 0 {
		cfg.Finish = DefaultFinish
	}
	if cfg.Counters == nil {
		cfg.Counters = new(Counters)
	}
	f := &Fetcher{cfg: cfg, counters: cfg.Counters, runners: newRunners(), failures: rate.NewLimiter(failuresEvery, failuresBurst)}
	f.mu.flights = make(map[field.Key][]*flight)
	return f
}

// Counters returns the live counters.
func (f *Fetcher) Counters() *Counters { return f.counters }

// How often failures of the origin are logged: enough to see what is wrong,
// and not one line for each of the requests that a dead origin fails.
const (
	failuresEvery = 1 // a second
	failuresBurst = 5
)

// logFailure logs why the origin gave no answer, or not all of it.
func (f *Fetcher) logFailure(target field.Target, err error) {
	if errors.Is(err, ErrClosed) || errors.Is(err, ErrAbandoned) || errors.Is(err, context.Canceled) || !f.failures.Allow() {
		return
	}
	f.cfg.Log.Warn("origin failed", "service", f.cfg.Service, "url", target.String(), "error", err)
}

// Close gives up every fetch under way and waits until none is left.
func (f *Fetcher) Close() {
	f.mu.Lock()
	f.mu.closed = true
	for fl := f.mu.running; fl != nil; fl = fl.next {
		fl.life.end(ErrClosed)
	}
	f.mu.Unlock()
	f.running.Wait()
	f.runners.close()
}

// Drain waits until no fetch is left. It is for a Fetcher that gets no more
// requests.
func (f *Fetcher) Drain() {
	f.running.Wait()
	f.Close()
}

// Marks returns the service's marks.
func (f *Fetcher) Marks() *purge.Service { return f.cfg.Judge.Marks }

// maxRefused bounds how many fetches a request may wait for in vain, because
// of a variant it does not match or a purge in between, before it fetches for
// itself. Each refusal needs another fetch to have got its head meanwhile.
const maxRefused = 4

// Get returns the answer to a GET or HEAD for which nothing usable is stored:
// by a fetch under way that the request may share, by a new one that others
// may share, or for itself alone where the answer turns out not to be
// shareable.
func (f *Fetcher) Get(ctx context.Context, r *Request) (*Answer, error) {
	var refused []*flight
	hint := ""
	for len(refused) < maxRefused {
		fl, leads, stored, err := f.joinOrStart(r, refused, hint)
		if err != nil {
			return nil, err
		}
		if stored != nil {
			return stored, nil
		}
		ans, err := fl.wait(ctx, r, leads)
		if err != errRefused {
			if ans != nil && !leads {
				f.counters.Collapsed.Add(1)
			}
			return ans, err
		}
		if fl.private() {
			break // the next answer would be as private: do not make others wait
		}
		hint = fl.vary()
		refused = append(refused, fl)
	}
	return f.Alone(ctx, r)
}

// joinOrStart finds a flight to share or starts one. The store is asked once
// more under the lock, because the fetch that was there a moment ago may just
// have put its object in.
func (f *Fetcher) joinOrStart(r *Request, refused []*flight, hint string) (fl *flight, leads bool, stored *Answer, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.closed {
		return nil, false, nil, ErrClosed
	}
	if fl := f.joinLocked(r, refused); fl != nil {
		fl.enter(nil)
		return fl, false, nil, nil
	}
	if ans := f.justStored(r); ans != nil {
		return nil, false, ans, nil
	}
	fl = f.newFlight(r)
	fl.predict(r, hint)
	fl.listed = true
	f.mu.flights[r.Key] = append(f.mu.flights[r.Key], fl)
	fl.enter(r.Interim)
	f.startLocked(fl)
	return fl, true, nil, nil
}

// justStored returns an answer from an object that was stored between the
// request's look-up and now.
func (f *Fetcher) justStored(r *Request) *Answer {
	if r.Renew || r.Anew {
		return nil
	}
	o := f.cfg.Store.Get(r.Key, r.Matcher)
	if !o.Found() {
		return nil
	}
	defer o.Release()
	v, fresh := f.fresh(o)
	if !fresh {
		return nil
	}
	content := o.Content()
	reader := content.NewReader(0)
	return &Answer{
		Head: o.Head.Clone(), Content: reader, Reader: reader, Trailer: content.Trailer, Collapsed: true, Stored: true,
		Bounds: v.Times,
	}
}

// fresh judges a stored response, which must be one, and tells whether it answers
// without the origin.
func (f *Fetcher) fresh(o store.Object) (store.Verdict, bool) {
	v := f.cfg.Judge.Judge(o)
	return v, o.HasBody() && v.Usable() && v.Times.Fresh > time.Now().UnixNano()
}

// Alone fetches for one request only, with the client's own conditions and
// range. What turns out to be storable is stored.
func (f *Fetcher) Alone(ctx context.Context, r *Request) (*Answer, error) {
	f.mu.Lock()
	if f.mu.closed {
		f.mu.Unlock()
		return nil, ErrClosed
	}
	fl := f.newFlight(r)
	fl.alone = true
	fl.enter(r.Interim)
	f.startLocked(fl)
	f.mu.Unlock()
	return fl.wait(ctx, r, true)
}
