package fetch

import (
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// run carries a flight out, in its own goroutine, so that no client's fate is
// the fetch's.
func (fl *flight) run() {
	base := fl.findBase()
	defer func() {
		base.Release()
		fl.f.forget(fl)
		fl.let()
		fl.life.end(nil)
		if fl.background {
			fl.f.background.Add(-1)
		}
		fl.f.running.Done()
	}()
	for {
		sent := time.Now()
		resp, err := fl.send(base)
		if err != nil {
			fl.fail(fl.cause(err))
			return
		}
		if resp.Status != 304 || !base.Found() && fl.alone {
			fl.receive(resp, sent)
			return
		}
		resp.Body.Close()
		if !base.Found() {
			fl.fail(ErrNotModified)
			return
		}
		if fl.renew(resp, base, sent) {
			return
		}
		// A purge took the stored response meanwhile, or the origin means
		// another: what it confirmed is not ours to serve.
		fl.f.counters.Discarded.Add(1)
		base.Release()
		base = store.Object{}
		fl.restamp()
	}
}

// cause returns why a flight was given up, where it was, and else err.
func (fl *flight) cause(err error) error {
	if why := fl.life.why(); why != nil {
		return why
	}
	return err
}

// restamp begins anew. Those that wait already arrived before, so the later
// stamp suits them too.
func (fl *flight) restamp() {
	fl.f.mu.Lock()
	defer fl.f.mu.Unlock()
	old := fl.lease
	fl.lease = fl.f.Marks().Begin()
	old.End()
}

// findBase returns the stored response to revalidate, if there is one. The
// flight's stamp was taken before.
func (fl *flight) findBase() store.Object {
	if fl.alone && (fl.request.Method != "GET" || fl.request.Unbased) {
		return store.Object{}
	}
	o := fl.f.cfg.Store.Get(fl.key, fl.request.Matcher)
	if !o.Found() {
		return o
	}
	v := fl.f.cfg.Judge.Judge(o)
	if !o.HasBody() || !o.Head.Is(store.HasValidator) || !v.Usable() || v.Times.Keep <= time.Now().UnixNano() {
		o.Release()
		return store.Object{}
	}
	return o
}

func (fl *flight) method() string {
	if fl.alone {
		return fl.request.Method
	}
	return "GET" // a HEAD is answered from what a GET brings
}

func (fl *flight) send(base store.Object) (*origin.Response, error) {
	r := fl.request
	fields := r.Fields
	switch {
	case base.Found():
		// A transport may still be sending them when the base is gone.
		fields = slices.Concat(fields, httpcache.RevalidationFields(base.Head.CopyFields(nil, true)))
	case fl.alone && len(r.Conditional) > 0:
		fields = slices.Concat(fields, r.Conditional)
	}
	// One for each attempt: it may be in use until the response's body is closed.
	resp, said, err := fl.f.exchange(&fl.life, &origin.Request{
		Method: fl.method(), Target: r.Target, Host: r.Host, Fields: fields, Interim: fl.sendInterim,
	})
	fl.said = said
	return resp, err
}

func (fl *flight) sendInterim(status int, f field.Fields) {
	fl.interim.Lock()
	defer fl.interim.Unlock()
	if fl.interim.to != nil {
		fl.interim.to(status, f)
	}
}

// renew makes a new Head on the stored body, as a 304 allows. It takes the
// stamp of the conditional request, and is tested with its old and its new
// tags and fields against every purge after that. It returns false where the
// stored response must not be used.
func (fl *flight) renew(resp *origin.Response, base store.Object, sent time.Time) bool {
	f := fl.f
	stored := base.Head.CopyFields(nil, true) // what is made of them outlives the base
	if !httpcache.MatchesStored(stored, resp.Fields) || !f.cfg.Judge.Judge(base).Usable() {
		return false
	}
	merged := httpcache.Merge(stored, resp.Fields)
	st := httpcache.Store(httpcache.Exchange{
		Method: "GET", Request: fl.request.Fields, Response: merged, Status: base.Head.Status(),
		RequestTime: sent.UnixNano(), ResponseTime: time.Now().UnixNano(),
	}, f.cfg.Policy)
	tags, keys := fl.tags(merged)
	next := purge.NewResponse(tags, fl.url, base.Head.Status(), st.Fields)
	if st.Store {
		st.Times = fl.said.bound(st.Times)
		v := f.Marks().JudgeRenewed(base.Head, next, fl.lease.Stamp(), st.Times)
		if v.State == purge.Withdrawn {
			return false
		}
		st.Times = v.Times
	}
	head := fl.makeHead(base.Head.Status(), st, st.Fields, tags, keys, base.Content().Size())
	body := store.BodyOf(base.Content())
	switch {
	case st.Store:
		o := fl.put(head, body)
		defer o.Release()
		if f.Marks().Judge(base.Head, fl.lease.Stamp(), st.Times).State == purge.Withdrawn {
			if o.Found() {
				f.cfg.Store.Remove(o, store.Removed)
			}
			body.Release()
			return false // a purge of what it was came before it was visible
		}
		if v := f.Marks().JudgeRenewed(base.Head, next, fl.lease.Stamp(), st.Times); o.Found() && v.State == purge.Softened {
			o.Bind(v.Times) // and so did a soft one, of what it is no more
		}
	case !st.Reason.OfRequest():
		f.cfg.Store.Remove(base, store.Removed)
	}
	f.counters.NotChanged.Add(1)
	fl.publish(result{
		head: head, body: body, storing: st, status: 304, origin: resp.Address,
		shared: fl.shareable(st), keep: st.Store,
	})
	return true
}

// shareable tells whether requests other than the flight's own may use the
// response: one that is stale on arrival answers only whom it was made for.
func (fl *flight) shareable(st httpcache.Storing) bool {
	return st.Store && !fl.alone && st.Times.Fresh > time.Now().UnixNano()
}

// receive takes in a response other than 304 to our own condition.
func (fl *flight) receive(resp *origin.Response, sent time.Time) {
	defer resp.Body.Close()
	f := fl.f
	st := httpcache.Store(httpcache.Exchange{
		Method: fl.method(), Request: fl.request.Fields, Response: resp.Fields, Status: resp.Status,
		RequestTime: sent.UnixNano(), ResponseTime: time.Now().UnixNano(),
		CloseDelimited: resp.CloseDelimited, AmbiguousLength: resp.Ambiguity != 0,
	}, f.cfg.Policy)
	if st.Store {
		st.Times = fl.said.bound(st.Times)
	}
	tags, keys := fl.tags(resp.Fields)
	length, keep := resp.ContentLength, st.Store
	if length > f.cfg.MaxObject {
		// Shared by those who wait for it, but streamed.
		keep, st.Reason = false, httpcache.ReasonTooLarge
		fl.remember(store.Uncacheable|store.TooLarge, tooLargeFor, st, tags, resp)
	}
	head := fl.makeHead(resp.Status, st, st.Fields, tags, keys, length)
	if !st.Store && st.HitForMiss > 0 {
		fl.remember(store.Uncacheable, st.HitForMiss, st, tags, resp)
	}
	body := f.cfg.Store.NewBody(length)
	body.OnIdle(fl.idle)
	switch {
	case !keep && !fl.shareable(st):
		body.Window(min(f.cfg.Window, aloneWindow))
	case !keep:
		body.Window(f.cfg.Window)
	}
	fl.publish(result{
		head: head, own: fl.ownHead(st, resp, tags, keys), body: body, storing: st, status: resp.Status, origin: resp.Address,
		shared: fl.shareable(st), keep: keep,
	})
	fl.idle()
	sealed, whole := fl.copy(resp, body, keep)
	if keep && !whole && !body.Kept() {
		fl.remember(store.Uncacheable|store.TooLarge, tooLargeFor, st, tags, resp) // it outgrew the store
	}
	if !sealed {
		return
	}
	if whole {
		if length < 0 {
			head = fl.makeHead(resp.Status, st, st.Fields, tags, keys, body.Size())
		}
		fl.put(head, body).Release()
	}
	body.Reveal()
}

// aloneWindow is the window of a body with one reader: nobody else can fall
// behind, so more than what one write takes only lets slow clients hold memory.
const aloneWindow = 64 << 10
