package fetch

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// flight is one fetch under way.
type flight struct {
	f       *Fetcher
	request *Request
	key     field.Key
	life    life // ends with the fetch, or when that is given up
	lease   purge.Lease
	holders atomic.Int32 // of the lease and the result's body: the fetch, and who waits for it

	alone      bool // for one request only: nobody joins
	background bool // goes on without readers
	listed     bool // guarded by the fetcher's lock

	next, prev *flight // of those under way; guarded by the fetcher's lock

	// Known from the beginning.
	url      string // the target's, in full
	urlTags  purge.Tags
	expected purge.Subject // what purges can tell of the response: its URL, and the tags of the last one
	variant  string        // the variant key to expect, by the last response
	known    bool          // variant is known
	solo     bool          // the last response could not be shared

	said   Said          // by the parent, of the response being received; run's own
	head   chan struct{} // closed once result is set
	result result

	mu struct {
		sync.Mutex
		waiting  int // requests that wait for the head or are about to read
		answered bool
		guard    *store.Reader // holds the body's beginning until they read
	}
	interim struct {
		sync.Mutex
		to func(status int, f field.Fields)
	}
}

// result is what the head of the response, or its absence, amounts to. It does
// not change once the flight's head channel is closed.
type result struct {
	err     error
	head    *store.Head
	own     *store.Head // for who leads, where it differs
	body    *store.Body
	storing httpcache.Storing
	shared  bool // others may use it
	keep    bool // it is to be stored
	status  int  // the origin's
	origin  string
}

// usualTags is room for the tags of a URL of six segments.
const usualTags = 16

func (f *Fetcher) newFlight(r *Request) *flight {
	fl := &flight{f: f, request: r, key: r.Key, url: r.Target.String(), head: make(chan struct{})}
	// The stamp comes before anything is sent, and before a stored response is
	// looked up for its validators.
	fl.lease = f.Marks().Begin()
	fl.holders.Store(1)
	fl.urlTags = f.cfg.Hasher.AppendTags(make(purge.Tags, 0, usualTags), f.cfg.Service, r.Tagged)
	fl.expect(fl.urlTags)
	return fl
}

// expect sets the tags by which purges are held against the flight until its
// head is known. Purges by header wait for the head: the last one's may differ.
func (fl *flight) expect(tags purge.Tags) {
	fl.expected = purge.NewResponse(tags, fl.url, 0, nil)
}

// predict learns from the last response to the resource, or from the one that
// the request was just refused, by which fields responses differ, and which
// purges will concern this one.
func (fl *flight) predict(r *Request, hint string) {
	last := fl.f.cfg.Store.Get(r.Key, AnyVariant{})
	if last.Found() {
		defer last.Release()
		hint = strings.Clone(last.Head.Variant())
		fl.expect(last.Head.AppendTags(nil))
		fl.solo = fl.unshareable(last)
	}
	if hint != "" {
		fl.variant, fl.known = httpcache.SameVariant(hint, r.Fields), true
	}
}

// unshareable tells whether the last response was for one request only, as far
// as that still holds.
func (fl *flight) unshareable(last store.Object) bool {
	v := fl.f.cfg.Judge.Judge(last)
	if last.Head.Is(store.Uncacheable) {
		return !last.Head.Is(store.TooLarge) && v.Usable() && v.Times.Fresh > time.Now().UnixNano()
	}
	return v.Usable() && last.Head.Times().Fresh <= last.Head.Born()
}

// AnyVariant matches every variant.
type AnyVariant struct{}

// MatchVariant implements store.Matcher.
func (AnyVariant) MatchVariant(*store.Head) bool { return true }

// admits tells whether a request may wait for the flight, by all that can be
// told now.
func (fl *flight) admits(r *Request) bool {
	marks := fl.f.Marks()
	select {
	case <-fl.head:
		return fl.serves(r) && fl.keeping() && !(r.Anew && fl.result.body.Whole())
	default:
	}
	if fl.alone || fl.solo || marks.Concerned(fl.expected, fl.lease.Stamp(), r.Began) {
		return false
	}
	return !fl.known || httpcache.VariantMatches(fl.variant, r.Fields)
}

// serves tells whether the response answers a request other than the one that
// caused it. The flight's head must be known.
func (fl *flight) serves(r *Request) bool {
	res := &fl.result
	if res.err != nil || !res.shared || fl.alone {
		return false
	}
	return r.Matcher.MatchVariant(res.head) && !fl.f.Marks().Concerned(res.head, fl.lease.Stamp(), r.Began)
}

// keeping tells whether a reader that starts now finds the body's first byte.
func (fl *flight) keeping() bool {
	return fl.result.body.Begins()
}

// private tells that nobody but the request that caused it may use the
// response.
func (fl *flight) private() bool {
	select {
	case <-fl.head:
		return fl.result.err == nil && (!fl.result.keep || !fl.result.shared) && !fl.result.storing.Reason.OfRequest()
	default:
		return false
	}
}

// vary returns the variant key of the response.
func (fl *flight) vary() string {
	if fl.result.head == nil {
		return ""
	}
	return fl.result.head.Variant()
}

// enter counts a request that waits. The one that leads gets what the origin
// sends ahead of the response.
func (fl *flight) enter(interim func(int, field.Fields)) {
	fl.holders.Add(1)
	fl.mu.Lock()
	fl.mu.waiting++
	fl.mu.Unlock()
	if interim != nil {
		fl.interim.Lock()
		fl.interim.to = interim
		fl.interim.Unlock()
	}
}

func (fl *flight) leave(leads bool) {
	if leads {
		fl.interim.Lock()
		fl.interim.to = nil
		fl.interim.Unlock()
	}
	fl.mu.Lock()
	fl.mu.waiting--
	var guard *store.Reader
	if fl.mu.waiting == 0 {
		guard, fl.mu.guard = fl.mu.guard, nil
	}
	fl.mu.Unlock()
	if guard != nil {
		guard.Close()
	}
	fl.idle()
	fl.let()
}

// let gives up a hold on the flight. The last one frees the marks, which those who
// wait are still to be tested against, and the body, which they are about to read:
// who joined a moment before the fetch ended may get there later than that.
func (fl *flight) let() {
	if fl.holders.Add(-1) > 0 {
		return
	}
	fl.lease.End()
	if body := fl.result.body; body != nil {
		body.Release()
	}
}

// wait waits for the head and returns the answer, errRefused where it is not
// for this request, or the fetch's error, which all who wait share: a dead
// origin is not asked once more for each of them.
func (fl *flight) wait(ctx context.Context, r *Request, leads bool) (*Answer, error) {
	defer fl.leave(leads)
	select {
	case <-fl.head:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	res := &fl.result
	if res.err != nil {
		return nil, res.err
	}
	if !leads {
		if res.status >= 500 && !res.shared {
			// A failing origin is when requests must not go there one by one.
			// What it said to the first is not for others to read.
			return nil, &StatusError{Status: res.status}
		}
		if !fl.serves(r) || !fl.keeping() || !res.keep && len(r.Conditional) > 0 {
			return nil, errRefused // a reader of the end would take the window away from the others
		}
	}
	head := res.head
	if leads && res.own != nil {
		head = res.own
	}
	reader := res.body.NewReader(0)
	return &Answer{
		Head: head, Content: reader, Reader: reader, Trailer: res.body.Trailer,
		Reason: res.storing.Reason, Stored: res.keep, FwdStatus: res.status, Origin: res.origin, Collapsed: !leads,
	}, nil
}

// idle gives the fetch up where nobody is left and what is missing is not
// worth the origin's time. Requests join under the same lock, so none can come
// to a fetch that is given up.
func (fl *flight) idle() {
	if fl.background {
		return
	}
	fl.f.mu.Lock()
	defer fl.f.mu.Unlock()
	fl.mu.Lock()
	waiting, answered := fl.mu.waiting, fl.mu.answered
	fl.mu.Unlock()
	switch {
	case waiting > 0:
		return
	case !answered && !fl.alone:
		return // it may be worth keeping; the origin's timeouts bound the wait
	case answered && (fl.result.err != nil || fl.result.body.Readers() > 0 || fl.worthFinishing()):
		return
	}
	fl.f.unlistLocked(fl)
	fl.life.end(ErrAbandoned)
}

// worthFinishing tells whether a storable body is small or nearly complete.
func (fl *flight) worthFinishing() bool {
	res := &fl.result
	if !res.keep || !res.body.Kept() {
		return false
	}
	have, finish := res.body.Size(), fl.f.cfg.Finish
	if length := res.head.Length(); length >= 0 {
		return length-have <= finish
	}
	return have <= finish
}

// publish makes the result known.
func (fl *flight) publish(res result) {
	fl.result = res
	fl.mu.Lock()
	fl.mu.answered = true
	if res.body != nil && fl.mu.waiting > 0 {
		fl.mu.guard = res.body.NewReader(0)
	}
	fl.mu.Unlock()
	close(fl.head)
}

func (fl *flight) fail(err error) {
	fl.f.counters.Failed.Add(1)
	fl.f.logFailure(fl.request.Target, err)
	fl.publish(result{err: err})
}
