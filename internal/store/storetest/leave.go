package storetest

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/store"
)

func testRemove(t *testing.T, open New) {
	s := open(t, 1<<20)
	mustPut(t, s, spec{id: 1, variant: "a", size: 100})
	mustPut(t, s, spec{id: 2, variant: "b", size: 100})
	o := s.Get(keyOf(0), matching{"a"})
	s.Remove(o, store.Swept)
	s.Remove(o, store.Swept)   // no longer stored
	s.Remove(o, store.Expired) // nor for another reason
	wants(t, s, 0, matching{"a"}, -1)
	wants(t, s, 0, matching{"b"}, 2)
	check(t, o)
	o.Release()
	stats := s.Stats()
	if stats.Objects != 1 || stats.Gone[store.Swept] != 1 || stats.Gone[store.Expired] != 0 {
		t.Errorf("after one removal: %+v", stats)
	}
	Empty(t, s)
	if got := s.Stats().Gone[store.Removed]; got != 1 {
		t.Errorf("%d removed, want 1", got)
	}
}

// testSharedBody: a 304 makes a new Head on the body that is stored, and the
// body is neither lost with the old object nor counted twice.
func testSharedBody(t *testing.T, open New) {
	s := open(t, 1<<20)
	mustPut(t, s, spec{id: 1, stamp: 1, size: 50_000})
	before := s.Stats().Bytes
	old := s.Get(keyOf(0), anything{})
	if !putDraft(s, draftOn(spec{id: 1, stamp: 2, size: 50_000}, store.BodyOf(old.Content()))) {
		t.Fatal("the refreshed object was not stored")
	}
	old.Release()
	o := s.Get(keyOf(0), anything{})
	if o.Head.Stamp() != 2 {
		t.Errorf("stamp %d, want 2", o.Head.Stamp())
	}
	check(t, o)
	o.Release()
	if after := s.Stats().Bytes; after != before {
		t.Errorf("%d bytes after the refresh, %d before", after, before)
	}
	Empty(t, s)
}

func testReadWhileRemoved(t *testing.T, open New) {
	s := open(t, 1<<20)
	for name, leave := range map[string]func(){
		"removed": func() {
			o := s.Get(keyOf(0), anything{})
			s.Remove(o, store.Removed)
			o.Release()
		},
		"replaced": func() { mustPut(t, s, spec{id: 2, size: 10}) },
	} {
		mustPut(t, s, spec{id: 1, size: 100_000})
		o := s.Get(keyOf(0), anything{})
		r := o.NewReader(0)
		o.Release() // the reader holds a reference of its own
		leave()
		if got := s.Stats().Bytes; got < 100_000 {
			t.Errorf("%s: %d bytes in use while 100,000 are being read", name, got)
		}
		checkRead(t, r, 1, 100_000)
		r.Close()
		if got := s.Stats().Bytes; got >= 100_000 {
			t.Errorf("%s: %d bytes in use after the last reader left", name, got)
		}
	}
	Empty(t, s)
}
