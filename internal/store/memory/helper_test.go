package memory

import (
	"encoding/binary"
	"math"
	"strconv"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// state is a store.Judge that says the same of every object.
type state store.State

func (s state) Judge(store.Object) store.Verdict { return store.Verdict{State: store.State(s)} }

const live = state(store.Live)

// anything is a store.Matcher of every variant.
type anything struct{}

func (anything) MatchVariant(*store.Head) bool { return true }

func key(i int) (k field.Key) {
	binary.LittleEndian.PutUint64(k[:], uint64(i)*0x9e3779b97f4a7c15)
	return k
}

// draft returns an object of URL i with a body of size bytes, of which the caller
// has the reference; false where there was no room.
func draft(s *Store, i int, variant string, size int, j store.Judge) (store.Draft, bool) {
	body := s.NewBody(int64(size))
	for at := 0; at < size; {
		room, err := body.Buffer()
		if err != nil {
			body.Release()
			return store.Draft{}, false
		}
		n := min(len(room), size-at)
		body.Commit(n)
		at += n
	}
	body.Complete(nil)
	head := store.NewHead(store.HeadSpec{
		Status:  200,
		Fields:  field.Fields{{Name: "Content-Type", Value: "text/html; charset=utf-8"}, {Name: "ETag", Value: `"0123456789abcdef"`}},
		Tags:    []field.Tag{field.Tag(i), 1, 2, 3},
		Times:   field.Times{Fresh: math.MaxInt64, SWR: math.MaxInt64, SIE: math.MaxInt64, Keep: math.MaxInt64},
		Variant: variant,
		URL:     "http://example.com/" + strconv.Itoa(i),
		Length:  int64(size),
	})
	return store.Draft{Key: key(i), Head: head, Body: body, Judge: j}, true
}

// putDraft puts d in, gives its body back, and tells whether it was stored.
func putDraft(s *Store, d store.Draft) bool {
	o := s.Put(d)
	o.Release()
	d.Body.Release()
	return o.Found()
}

// tryPut tells whether there was room for an object.
func tryPut(s *Store, i int, variant string, size int, j store.Judge) bool {
	d, ok := draft(s, i, variant, size, j)
	return ok && putDraft(s, d)
}

func put(t testing.TB, s *Store, i, size int, j store.Judge) {
	t.Helper()
	if !tryPut(s, i, "", size, j) {
		t.Fatalf("object %d was not stored", i)
	}
}

// hit tells whether object i is stored, and counts as a use of it.
func hit(s *Store, i int) bool {
	o := s.Get(key(i), anything{})
	o.Release()
	return o.Found()
}
