package fetch

import (
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// put publishes an object. Every look-up judges it against the marks after its
// stamp, and the lease keeps those until it is visible.
// It returns what the store does: a hold, or nothing.
func (fl *flight) put(head *store.Head, body *store.Body) store.Object {
	return fl.f.cfg.Store.Put(store.Draft{Key: fl.key, Head: head, Body: body, Judge: fl.f.cfg.Judge})
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
		Status: resp.Status, Tags: tags, Stamp: fl.lease.Stamp(), Variant: st.Variant, URL: fl.url,
		Times: field.Times{Fresh: until, SWR: until, SIE: until, Keep: until},
		Born:  time.Now().UnixNano(), Flags: flags,
	})
	fl.put(head, nil).Release()
}

// tags returns the tags of a response and its surrogate keys.
func (fl *flight) tags(fields field.Fields) (purge.Tags, []string) {
	list := fl.f.cfg.Policy.Keys(fl.request.Target, fields)
	if list.Ignored > 0 {
		fl.f.counters.IgnoredKeys.Add(int64(list.Ignored))
		fl.f.cfg.Log.Warn("surrogate keys over the limit are ignored", "service", fl.f.cfg.Service,
			"url", fl.url, "ignored", list.Ignored, "used", len(list.Keys))
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
		URL: fl.url, Flags: flags, Length: length,
	})
}

// hidden tells whether a response field is kept for those who debug, and not
// delivered.
func (fl *flight) hidden(name string) bool {
	return httpcache.HidesField(fl.f.cfg.Policy.TagHeaders, name)
}
