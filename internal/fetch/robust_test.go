package fetch

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// hookStore runs something just before an object becomes visible.
type hookStore struct {
	store.Store
	before func()
}

func (h *hookStore) Put(d store.Draft) store.Object {
	if h.before != nil {
		h.before()
		h.before = nil
	}
	return h.Store.Put(d)
}

func (b *bench) purgeTag(tag field.Tag, effect purge.Effect) purge.ID {
	now := time.Now().UnixNano()
	id := purge.NewID(now / 1e6)
	b.engine.Apply(now, purge.Purge{ID: id, Service: "s", Tags: []field.Tag{tag}, Effect: effect})
	return id
}

// renewWithoutKey renews a stored response by a 304 that drops the key "old", which
// is purged before the renewed one is visible. It returns what is stored then.
func (b *bench) renewWithoutKey(t *testing.T, effect purge.Effect) store.Object {
	hook := &hookStore{Store: b.store}
	b.Fetcher.cfg.Store = hook
	b.answer = func(_ context.Context, r *origin.Request) (*origin.Response, error) {
		if r.Fields.Has("If-None-Match") {
			resp := says("", "Cache-Control: max-age=600", `ETag: "1"`, "Surrogate-Key: new")
			resp.Status = 304
			return resp, nil
		}
		return says("one", "Cache-Control: max-age=10", `ETag: "1"`, "Surrogate-Key: old"), nil
	}
	a, _ := b.Get(t.Context(), b.request("/a"))
	read(t, a)
	time.Sleep(11 * time.Second)
	hook.before = func() { b.purgeTag(b.hasher.Surrogate("s", "old"), effect) }
	r := b.request("/a")
	r.Renew = true
	a, _ = b.Get(t.Context(), r)
	read(t, a)
	synctest.Wait()
	return b.store.Get(r.Key, AnyVariant{})
}

// F1: a 304 drops the key "old"; its purge comes between the test of the old
// tags and the moment when the renewed object is visible.
func TestRenewedObjectIsVerifiedWithOldTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		o := b.renewWithoutKey(t, purge.Effect{})
		defer o.Release()
		if o.Found() && b.cfg.Judge.Judge(o).Usable() && o.Head.Stamp() < b.Marks().Position() {
			t.Errorf("stored under stamp %d, confirmed before the purge at %d of a key its body had", o.Head.Stamp(), b.Marks().Position())
		}
	})
}

// The same with a soft purge: its bound would be lost with the key.
func TestRenewedObjectIsBoundByOldTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		o := b.renewWithoutKey(t, purge.SoftEffect())
		defer o.Release()
		if v := b.cfg.Judge.Judge(o); v.Times.Fresh > time.Now().UnixNano() {
			t.Error("fresh, although a soft purge took what it was before it was stored")
		}
	})
}

// F2: a soft purge during a revalidation is written into the renewed object's
// times, so that a revert does not take it back.
func TestSoftPurgeDuringRenewalCanBeUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(_ context.Context, r *origin.Request) (*origin.Response, error) {
			if r.Fields.Has("If-None-Match") {
				time.Sleep(time.Second)
				resp := says("", "Cache-Control: max-age=600", `ETag: "1"`, "Surrogate-Key: k")
				resp.Status = 304
				return resp, nil
			}
			return says("one", "Cache-Control: max-age=10", `ETag: "1"`, "Surrogate-Key: k"), nil
		}
		a, _ := b.Get(t.Context(), b.request("/a"))
		read(t, a)
		time.Sleep(11 * time.Second)
		r := b.request("/a")
		r.Renew = true
		done := make(chan struct{})
		go func() {
			a, _ := b.Get(context.Background(), r)
			read(t, a)
			close(done)
		}()
		synctest.Wait()
		id := b.purgeTag(b.hasher.Surrogate("s", "k"), purge.SoftEffect())
		<-done
		synctest.Wait()
		b.engine.Revert(time.Now().UnixNano(), id)
		o := b.store.Get(r.Key, AnyVariant{})
		defer o.Release()
		if v := b.cfg.Judge.Judge(o); v.Times.Fresh <= time.Now().UnixNano() {
			t.Error("the purge was reverted, and the object is stale all the same")
		}
	})
}

// slowMatcher stands for a goroutine that is descheduled at that point.
type slowMatcher struct{ then func() }

func (m slowMatcher) MatchVariant(*store.Head) bool { m.then(); return true }

// F3: a request that waits for a fetch must hold back the marks it is tested
// with, also once the fetch is over.
func TestWaiterHoldsMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.Marks().SetUndoWindow(0)
		b.answer = func(context.Context, *origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			return says("old", "Cache-Control: max-age=600", "Surrogate-Key: k"), nil
		}
		go func() {
			a, _ := b.Get(context.Background(), b.request("/a"))
			read(t, a)
		}()
		synctest.Wait()
		b.purgeTag(b.hasher.Surrogate("s", "k"), purge.Effect{})
		late := b.request("/a") // begins after the purge
		late.Matcher = slowMatcher{func() {
			time.Sleep(time.Second) // the fetch ends, and a sweep passes
			sw := b.engine.BeginSweep(time.Now().UnixNano())
			b.store.Walk(func(o store.Object) bool { o.Withdraw(); b.store.Remove(o, store.Swept); return true })
			b.engine.EndSweep(sw)
		}}
		b2 := b.answer
		b.answer = func(ctx context.Context, r *origin.Request) (*origin.Response, error) {
			resp, err := b2(ctx, r)
			resp.Body = io.NopCloser(newString("new"))
			return resp, err
		}
		a, err := b.Get(context.Background(), late)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, a); got != "new" {
			t.Errorf("a request after the purge got %q, whose fetch began before it", got)
		}
	})
}

// F4: an object that leaves the store for space while somebody holds it is not
// seen by the sweep, which then drops the marks that withdrew it.
func TestHolderOfEvictedObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(context.Context, *origin.Request) (*origin.Response, error) {
			return says("old", "Cache-Control: max-age=600", "Surrogate-Key: k"), nil
		}
		a, _ := b.Get(t.Context(), b.request("/a"))
		read(t, a)
		synctest.Wait()
		b.Marks().SetUndoWindow(0)
		b.purgeTag(b.hasher.Surrogate("s", "k"), purge.Effect{})
		// A request begins, looks up, ...
		o := b.store.Get(b.request("/a").Key, AnyVariant{})
		defer o.Release()
		b.store.Remove(o, store.Evicted) // as an eviction or a Put of the same variant does
		sw := b.engine.BeginSweep(time.Now().UnixNano())
		b.engine.EndSweep(sw)
		// ... and judges.
		if v := b.cfg.Judge.Judge(o); v.Usable() {
			t.Error("a withdrawn object is live again because it was evicted")
		}
	})
}

func newString(s string) io.Reader { return &oneString{s} }

type oneString struct{ s string }

func (o *oneString) Read(p []byte) (int, error) {
	if o.s == "" {
		return 0, io.EOF
	}
	n := copy(p, o.s)
	o.s = o.s[n:]
	return n, nil
}
