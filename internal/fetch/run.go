package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
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
		if base != nil {
			base.Release()
		}
		fl.f.unlist(fl)
		fl.endLease()
		if fl.result.body != nil {
			fl.result.body.Release()
		}
		fl.cancel(nil)
		if fl.background {
			fl.f.background.Add(-1)
		}
	}()
	for {
		sent := time.Now()
		resp, err := fl.send(base)
		if err != nil {
			fl.fail(cause(fl.ctx, err))
			return
		}
		if resp.Status != 304 || base == nil && fl.alone {
			fl.receive(resp, sent)
			return
		}
		resp.Body.Close()
		if base == nil {
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
		base = nil
		fl.restamp()
	}
}

// cause returns why a flight was given up, where it was, and else err.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
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

// findBase returns the stored response to revalidate, or nil. The flight's
// stamp was taken before.
func (fl *flight) findBase() *store.Object {
	if fl.alone && fl.request.Method != "GET" {
		return nil
	}
	o := fl.f.cfg.Store.Get(fl.key, fl.request.Matcher)
	if o == nil {
		return nil
	}
	v := fl.f.cfg.Judge.Judge(o)
	if o.Body == nil || !o.Head.Is(store.HasValidator) || !v.Usable() || v.Times.Keep <= time.Now().UnixNano() {
		o.Release()
		return nil
	}
	return o
}

func (fl *flight) method() string {
	if fl.alone {
		return fl.request.Method
	}
	return "GET" // a HEAD is answered from what a GET brings
}

func (fl *flight) send(base *store.Object) (*origin.Response, error) {
	r := fl.request
	fields := append(make(field.Fields, 0, len(r.Fields)+len(r.Conditional)+2), r.Fields...)
	switch {
	case base != nil:
		fields = append(fields, httpcache.RevalidationFields(base.Head.AppendFields(nil, true))...)
	case fl.alone:
		fields = append(fields, r.Conditional...)
	}
	fl.f.counters.Fetches.Add(1)
	return fl.f.cfg.Origin.Do(fl.ctx, &origin.Request{
		Method: fl.method(), Target: r.Target, Host: r.Host, Fields: fields, Interim: fl.sendInterim,
	})
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
// tags against every mark after that. It returns false where the stored
// response must not be used.
func (fl *flight) renew(resp *origin.Response, base *store.Object, sent time.Time) bool {
	f := fl.f
	stored := base.Head.AppendFields(nil, true)
	if !httpcache.MatchesStored(stored, resp.Fields) || !f.cfg.Judge.Judge(base).Usable() {
		return false
	}
	merged := httpcache.Merge(stored, resp.Fields)
	st := httpcache.Store(httpcache.Exchange{
		Method: "GET", Request: fl.request.Fields, Response: merged, Status: base.Head.Status(),
		RequestTime: sent.UnixNano(), ResponseTime: time.Now().UnixNano(),
	}, f.cfg.Policy)
	tags, keys := fl.tags(merged)
	old := purge.Tags(base.Head.AppendTags(nil))
	if st.Store {
		// What bounds it by its new tags does so at each look-up, and may be
		// undone. Of the old ones only this is left.
		v := f.Marks().Judge(old.Without(tags), fl.lease.Stamp(), st.Times)
		if v.State == purge.Withdrawn || f.Marks().Judge(tags, fl.lease.Stamp(), st.Times).State == purge.Withdrawn {
			return false
		}
		st.Times = v.Times
	}
	head := fl.makeHead(base.Head.Status(), st, st.Fields, tags, keys, base.Body.Size())
	switch {
	case st.Store:
		o := fl.put(head, base.Body)
		if f.Marks().Judge(old, fl.lease.Stamp(), st.Times).State == purge.Withdrawn {
			f.cfg.Store.Remove(o, store.Removed)
			return false // a purge by an old tag came before it was visible
		}
	case !st.Reason.OfRequest():
		f.cfg.Store.Remove(base, store.Removed)
	}
	f.counters.NotChanged.Add(1)
	base.Body.Retain()
	fl.publish(result{
		head: head, body: base.Body, tags: tags, storing: st, status: 304, origin: resp.Address,
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
		head: head, own: fl.ownHead(st, resp, tags, keys), body: body, tags: tags, storing: st, status: resp.Status, origin: resp.Address,
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
		fl.put(head, body)
	}
	body.Reveal()
}

// aloneWindow is the window of a body with one reader: nobody else can fall
// behind, so more than what one write takes only lets slow clients hold memory.
const aloneWindow = 64 << 10

// copy fills the body. It returns whether that is sealed, and whether it is
// kept whole; a body that is not sealed has failed.
func (fl *flight) copy(resp *origin.Response, body *store.Body, keep bool) (sealed, whole bool) {
	for {
		if err := body.WaitReader(fl.ctx); err != nil {
			return false, fl.giveUp(body, err)
		}
		var none [0]byte
		room, err := none[:], error(nil)
		if resp.ContentLength != body.Size() {
			room, err = body.Buffer()
		}
		if err != nil || body.Size() >= fl.f.cfg.MaxObject && keep {
			// It outgrew the store: from here on it is streamed.
			keep = false
			fl.f.unlist(fl)
			body.Window(fl.f.cfg.Window)
			continue
		}
		n, err := fl.read(resp, room, body.Size())
		switch {
		case err == io.EOF:
			body.Seal(n, trailer(resp))
			return true, keep
		case err != nil:
			body.Commit(n)
			return false, fl.giveUp(body, err)
		}
		body.Commit(n)
		if body.Readers() == 0 {
			fl.idle()
		}
	}
}

// read reads into room. Where the length is known and all of it has come, it
// reads on to the end before anybody sees the last bytes.
func (fl *flight) read(resp *origin.Response, room []byte, have int64) (n int, err error) {
	if len(room) > 0 {
		n, err = resp.Body.Read(room)
	}
	switch have += int64(n); {
	case fl.ctx.Err() != nil:
		return n, fl.ctx.Err()
	case err == io.EOF && have < resp.ContentLength && !fl.bodyless(resp):
		return n, io.ErrUnexpectedEOF
	case err != nil || have != resp.ContentLength:
		return n, err
	}
	var extra [1]byte
	more, err := resp.Body.Read(extra[:])
	if more > 0 || err == nil {
		return n, errTooLong
	}
	return n, err
}

// bodyless tells whether a response has no content whatever its head says of
// the length (RFC 9110 section 6.4.1).
func (fl *flight) bodyless(resp *origin.Response) bool {
	return fl.method() == http.MethodHead || resp.Status == http.StatusNotModified || resp.Status == http.StatusNoContent
}

// giveUp fails the body.
func (fl *flight) giveUp(body *store.Body, err error) (whole bool) {
	if err = cause(fl.ctx, err); errors.Is(err, store.ErrAbandoned) || errors.Is(err, ErrAbandoned) {
		err = ErrAbandoned
		fl.f.counters.Abandoned.Add(1)
	} else {
		fl.f.counters.Failed.Add(1)
		fl.f.logFailure(fl.request.Target, err)
	}
	body.Fail(err)
	return false
}

func trailer(resp *origin.Response) field.Fields {
	if resp.Trailer == nil {
		return nil
	}
	return resp.Trailer()
}

// put publishes an object. Every look-up judges it against the marks after its
// stamp, and the lease keeps those until it is visible.
func (fl *flight) put(head *store.Head, body *store.Body) *store.Object {
	body.Retain()
	o := store.NewObject(fl.key, head, body, fl.f.cfg.Judge)
	fl.f.cfg.Store.Put(o)
	return o
}

// ownHead returns the Head for the client that the response was made for, where
// that gets fields that are withheld from all others (RFC 9111 sections 5.2.2.4
// and 5.2.2.7); nil where there are none.
func (fl *flight) ownHead(st httpcache.Storing, resp *origin.Response, tags purge.Tags, keys []string) *store.Head {
	own := httpcache.Unshared(st, resp.Fields, fl.f.cfg.Policy)
	if len(own) == 0 {
		return nil
	}
	return fl.makeHead(resp.Status, st, append(st.Fields.Clone(), own...), tags, keys, resp.ContentLength)
}

// tooLargeFor is how long it is remembered that a response does not fit: a
// large file hardly becomes a small one.
const tooLargeFor = 10 * time.Minute

// remember stores that the answer could not be. Requests to come then do not
// wait for each other or, where only its size is to blame, get the ranges that
// they want from the origin instead of everything before them.
func (fl *flight) remember(flags store.Flags, d time.Duration, st httpcache.Storing, tags purge.Tags, resp *origin.Response) {
	until := time.Now().Add(d).UnixNano()
	head := store.NewHead(store.HeadSpec{
		Status: resp.Status, Tags: tags, Stamp: fl.lease.Stamp(), Variant: st.Variant, URL: fl.request.Target.String(),
		Times: field.Times{Fresh: until, SWR: until, SIE: until, Keep: until},
		Born:  time.Now().UnixNano(), Flags: flags,
	})
	fl.f.cfg.Store.Put(store.NewObject(fl.key, head, nil, fl.f.cfg.Judge))
}

// tags returns the tags of a response and its surrogate keys.
func (fl *flight) tags(fields field.Fields) (purge.Tags, []string) {
	list := httpcache.Tags(fl.f.cfg.Policy.TagHeaders, fields)
	if list.Ignored > 0 {
		fl.f.counters.IgnoredKeys.Add(int64(list.Ignored))
		fl.f.cfg.Log.Warn("surrogate keys over the limit are ignored", "service", fl.f.cfg.Service,
			"url", fl.request.Target.String(), "ignored", list.Ignored, "used", len(list.Keys))
	}
	tags := append(make(purge.Tags, 0, len(fl.urlTags)+len(list.Keys)), fl.urlTags...)
	for _, key := range list.Keys {
		tags = append(tags, fl.f.cfg.Hasher.Surrogate(fl.f.cfg.Service, key))
	}
	return tags, list.Keys
}

func (fl *flight) makeHead(status int, st httpcache.Storing, fields field.Fields, tags purge.Tags, keys []string, length int64) *store.Head {
	var flags store.Flags
	if st.MustRevalidate {
		flags |= store.MustRevalidate
	}
	if st.HasValidator {
		flags |= store.HasValidator
	}
	if st.Immutable {
		flags |= store.Immutable
	}
	return store.NewHead(store.HeadSpec{
		Status: status, Fields: fields, Hidden: fl.hidden, Tags: tags, Keys: keys,
		Stamp: fl.lease.Stamp(), Times: st.Times, Born: st.Born, Variant: st.Variant,
		URL: fl.request.Target.String(), Flags: flags, Length: length,
	})
}

// hidden tells whether a response field is kept for those who debug, and not
// delivered.
func (fl *flight) hidden(name string) bool {
	return httpcache.HidesField(fl.f.cfg.Policy.TagHeaders, name)
}
