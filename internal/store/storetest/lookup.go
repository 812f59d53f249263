package storetest

import (
	"fmt"
	"io"
	"testing"

	"github.com/rescind-edge/rescind/internal/store"
)

func testGet(t *testing.T, open New) {
	s := open(t, 1<<20)
	wants(t, s, 1, anything{}, -1)
	sizes := []int{0, 1, 4095, 4096, 4097, 65536, 100_000}
	for i, size := range sizes {
		mustPut(t, s, spec{id: i, url: i, size: size})
	}
	for i := range sizes {
		wants(t, s, i, anything{}, i)
	}
	wants(t, s, len(sizes), anything{}, -1)
	if got := s.Stats().Objects; got != int64(len(sizes)) {
		t.Errorf("%d objects, want %d", got, len(sizes))
	}
	Empty(t, s)
	wants(t, s, 1, anything{}, -1)
}

func testNoBody(t *testing.T, open New) {
	s := open(t, 1<<20)
	mustPut(t, s, spec{id: 1, size: -1})
	o := s.Get(keyOf(0), anything{})
	if !o.Found() || o.HasBody() {
		t.Fatalf("got %v, want an object without a body", o)
	}
	o.Release()
	mustPut(t, s, spec{id: 2, size: 10})
	wants(t, s, 0, anything{}, 2)
	Empty(t, s)
}

// testNotWhole: a body that is not whole is not stored, or it would be served
// as if it were.
func testNotWhole(t *testing.T, open New) {
	s := open(t, 1<<20)
	for name, end := range map[string]func(*store.Body){
		"filling":         func(*store.Body) {},
		"failed":          func(b *store.Body) { b.Fail(io.ErrUnexpectedEOF) },
		"without a start": func(b *store.Body) { b.Window(1); b.Complete(nil) },
	} {
		body := s.NewBody(-1)
		for range 3 {
			room, err := body.Buffer()
			if err != nil {
				t.Fatal(err)
			}
			body.Commit(len(room))
		}
		end(body)
		if putDraft(s, draftOn(spec{size: int(body.Size())}, body)) {
			t.Errorf("%s: stored", name)
		}
		wants(t, s, 0, anything{}, -1)
	}
	Empty(t, s)
}

func testReplace(t *testing.T, open New) {
	s := open(t, 1<<20)
	mustPut(t, s, spec{id: 1, variant: "a", stamp: 5, size: 10})
	mustPut(t, s, spec{id: 2, variant: "b", stamp: 5, size: 10})
	mustPut(t, s, spec{id: 3, variant: "a", stamp: 5, size: 10}) // equal stamp: the later one
	wants(t, s, 0, matching{"a"}, 3)
	wants(t, s, 0, matching{"b"}, 2)
	mustPut(t, s, spec{id: 4, variant: "a", stamp: 6, size: 10})
	wants(t, s, 0, matching{"a"}, 4)
	stats := s.Stats()
	if stats.Objects != 2 || stats.Gone[store.Replaced] != 2 {
		t.Errorf("%d objects, %d replaced; want 2 and 2", stats.Objects, stats.Gone[store.Replaced])
	}
	Empty(t, s)
}

func testGreaterStamp(t *testing.T, open New) {
	s := open(t, 1<<20)
	mustPut(t, s, spec{id: 1, stamp: 9, size: 10})
	before := s.Stats()
	if put(t, s, spec{id: 2, stamp: 8, size: 10}) {
		t.Error("a lesser stamp replaced a greater one")
	}
	wants(t, s, 0, anything{}, 1)
	if after := s.Stats(); after.Bytes != before.Bytes || after.Objects != 1 || after.Refused != 0 {
		t.Errorf("after the refused one: %+v, before: %+v", after, before)
	}
	Empty(t, s)
}

func testNewest(t *testing.T, open New) {
	s := open(t, 1<<20)
	mustPut(t, s, spec{id: 1, variant: "a", stamp: 2, size: 1})
	mustPut(t, s, spec{id: 2, variant: "b", stamp: 3, size: 1})
	mustPut(t, s, spec{id: 3, variant: "c", stamp: 2, size: 1}) // put later, fetched earlier than b
	mustPut(t, s, spec{id: 4, variant: "d", stamp: 1, size: 1})
	wants(t, s, 0, anything{}, 2)
	wants(t, s, 0, matching{"a", "c", "d"}, 3) // a and c are of one stamp: the later one
	wants(t, s, 0, matching{"a", "d"}, 1)
	wants(t, s, 0, matching{"d"}, 4)
	wants(t, s, 0, matching{"e"}, -1)
	Empty(t, s)
}

func testVariants(t *testing.T, open New) {
	const many = 2000
	s := open(t, 16<<20)
	for i := range many {
		mustPut(t, s, spec{id: i, variant: fmt.Sprint(i), size: 1})
		wants(t, s, 0, anything{}, i)
	}
	wants(t, s, 0, matching{"0"}, -1)
	stats := s.Stats()
	if stats.Objects > many/4 {
		t.Errorf("one key has %d variants: no bound", stats.Objects)
	}
	if stats.Objects+stats.Gone[store.Evicted] != many {
		t.Errorf("%d objects and %d evicted, want %d in all", stats.Objects, stats.Gone[store.Evicted], many)
	}
	Empty(t, s)
}
