package fetch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// Origin is where responses come from. Do returns once the response's head is
// there; after it returned an error, nothing it was given is used any more.
type Origin interface {
	Do(ctx context.Context, r *origin.Request) (*origin.Response, error)
}

// Config of a Fetcher: one service.
type Config struct {
	Service string
	Store   store.Store
	Judge   *Judge
	Hasher  *field.Hasher
	Origin  Origin
	// Parent is asked instead of Origin; nil: there is none.
	Parent Parent
	Policy *httpcache.Policy
	Log    *slog.Logger
	// Counters go on counting where another Fetcher of the service stopped;
	// nil: from zero.
	Counters *Counters

	// MaxObject is the longest body that is stored, in bytes; 0 means
	// DefaultMaxObject. A longer one is streamed to those who wait for it.
	MaxObject int64
	// Window is how many bytes of a streamed body are kept behind its fastest
	// reader; 0 means DefaultWindow.
	Window int64
	// Finish is how many bytes may be missing from a body for its fetch to go
	// on when nobody reads it any more; 0 means DefaultFinish.
	Finish int64
}

// Defaults of a Config.
const (
	DefaultMaxObject = 64 << 20
	DefaultWindow    = 1 << 20 // what a client at 100 Mbit/s takes in a tenth of a second
	DefaultFinish    = 1 << 20
)

// maxBackground bounds the background refreshes of one service under way at
// once: after a soft purge of everything, the origin gets at most so many
// requests that nobody waits for. Those that find no place leave the object
// stale for the next request to try again.
const maxBackground = 256

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

// Request is a request as it goes to the origin.
type Request struct {
	Key    field.Key
	Method string
	Target field.Target // sent byte for byte
	Tagged field.Target // what the URL's tags are derived from: Target after the service's query rule
	Host   string

	// Fields are the end-to-end fields to send, without conditions and ranges.
	Fields field.Fields
	// Conditional are the client's own conditions and ranges, sent only where
	// the answer is for this client alone.
	Conditional field.Fields

	// Matcher picks the stored variant that answers the request.
	Matcher store.Matcher
	// Began is the service's position when the request arrived.
	Began field.Position
	// Renew asks for an answer from the origin although one may be stored.
	Renew bool
	// Anew asks for what the origin says from now on: an answer that was here whole
	// when the request arrived is none, be it stored or of a fetch that is not
	// forgotten yet.
	Anew bool
	// Unbased asks for a whole answer, of Alone: nothing stored here is good enough
	// to be confirmed by a 304, since purges are in force elsewhere that this node
	// does not know yet.
	Unbased bool
	// Interim receives informational responses until the call returns.
	Interim func(status int, f field.Fields)
}

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
