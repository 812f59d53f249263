package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// spec says what an object of these tests is.
type spec struct {
	id      int // tells objects apart, and what their content is
	url     int // which cache key and which URL tag
	variant string
	stamp   field.Position
	size    int // of the body; negative: no body
	judge   store.Judge
}

// keyOf spreads the number of a URL over the key as a hash would.
func keyOf(url int) (k field.Key) {
	h := uint64(url+1) * 0x9e3779b97f4a7c15
	for i := range 8 {
		k[i], k[8+i] = byte(h>>(8*i)), byte(h>>(8*(7-i)))
	}
	return k
}

func tagOf(url int) field.Tag { return field.Tag(uint64(url+1) * 0xd1342543de82ef95) }

// draft returns an object to be stored, with a filled body, of which the caller
// has the reference; false where there was no room.
func draft(t testing.TB, s store.Store, sp spec) (store.Draft, bool) {
	t.Helper()
	if sp.size < 0 {
		return draftOn(sp, nil), true
	}
	body := fill(t, s, sp.id, sp.size)
	return draftOn(sp, body), body != nil
}

// draftOn returns an object to be stored on a body that exists.
func draftOn(sp spec, body *store.Body) store.Draft {
	if sp.judge == nil {
		sp.judge = live
	}
	head := store.NewHead(store.HeadSpec{
		Status:  200,
		Fields:  field.Fields{{Name: "Content-Type", Value: "text/plain"}},
		Tags:    []field.Tag{tagOf(sp.url), field.Tag(sp.url % 7)},
		Keys:    []string{strconv.Itoa(sp.id)},
		Stamp:   sp.stamp,
		Times:   forever,
		Variant: sp.variant,
		URL:     fmt.Sprintf("http://example.com/%d", sp.url),
		Length:  int64(max(sp.size, 0)),
	})
	return store.Draft{Key: keyOf(sp.url), Head: head, Body: body, Judge: sp.judge}
}

// forever are times that no test outlives.
var forever = field.Times{Fresh: math.MaxInt64, SWR: math.MaxInt64, SIE: math.MaxInt64, Keep: math.MaxInt64}

// put puts a new object in, and tells whether it was stored.
func put(t testing.TB, s store.Store, sp spec) bool {
	t.Helper()
	d, ok := draft(t, s, sp)
	return ok && putDraft(s, d)
}

// putDraft puts d in and gives its body back.
func putDraft(s store.Store, d store.Draft) bool {
	o := s.Put(d)
	defer o.Release()
	if d.Body != nil {
		d.Body.Release()
	}
	return o.Found()
}

// mustPut fails where the object is not stored.
func mustPut(t testing.TB, s store.Store, sp spec) {
	t.Helper()
	if !put(t, s, sp) {
		t.Fatalf("object %d was not stored", sp.id)
	}
}

func idOf(o store.Object) int {
	id, _ := strconv.Atoi(o.Head.SurrogateKey(0))
	return id
}

// fill returns a complete body of size bytes that only id has, nil where there
// was no room.
func fill(t testing.TB, s store.Store, id, size int) *store.Body {
	t.Helper()
	body := s.NewBody(int64(size))
	for at := 0; at < size; {
		room, err := body.Buffer()
		if errors.Is(err, store.ErrNoRoom) {
			body.Fail(err)
			body.Release()
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		n := min(len(room), size-at)
		for i := range n {
			room[i] = content(id, at+i)
		}
		body.Commit(n)
		at += n
	}
	body.Complete(nil)
	return body
}

func content(id, at int) byte { return byte(id*31 + at + at>>8) }

// check reads the object's body and fails where it is not what id has. It is
// called from many goroutines, so it does not stop the test.
func check(t testing.TB, o store.Object) {
	t.Helper()
	if !o.HasBody() {
		return
	}
	r := o.NewReader(0)
	defer r.Close()
	checkRead(t, r, idOf(o), o.Head.Length())
}

// checkRead fails where a reader does not yield what id has.
func checkRead(t testing.TB, r *store.Reader, id int, length int64) {
	t.Helper()
	at := 0
	for {
		p, err := r.Next(context.Background())
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Errorf("object %d: %v", id, err)
			return
		}
		for i := range p {
			if p[i] != content(id, at+i) {
				t.Errorf("object %d: byte %d is of something else", id, at+i)
				return
			}
		}
		at += len(p)
	}
	if int64(at) != length {
		t.Errorf("object %d: body of %d bytes, want %d", id, at, length)
	}
}

// matching is a store.Matcher of the listed variants.
type matching []string

func (m matching) MatchVariant(h *store.Head) bool {
	for _, v := range m {
		if v == h.Variant() {
			return true
		}
	}
	return false
}

// anything is a store.Matcher of every variant.
type anything struct{}

func (anything) MatchVariant(*store.Head) bool { return true }

// wants fails unless Get returns the object id, -1 for none. It checks the
// content and releases it.
func wants(t testing.TB, s store.Store, url int, m store.Matcher, id int) {
	t.Helper()
	got := -1
	if o := s.Get(keyOf(url), m); o.Found() {
		got = idOf(o)
		check(t, o)
		o.Release()
	}
	if got != id {
		t.Errorf("url %d %v: got object %d, want %d", url, m, got, id)
	}
}

// ids returns how often a walk visits each object.
func ids(s store.Store) map[int]int {
	seen := make(map[int]int)
	s.Walk(func(o store.Object) bool {
		seen[idOf(o)]++
		return true
	})
	return seen
}

// urlIDs is ids for WalkURL.
func urlIDs(s store.Store, url int) map[int]int {
	seen := make(map[int]int)
	s.WalkURL(tagOf(url), func(o store.Object) { seen[idOf(o)]++ })
	return seen
}

// judge is a store.Judge with one verdict, which a test may change.
type judge struct {
	verdict atomic.Pointer[store.Verdict]
}

// live finds every object live.
var live = judging(store.Verdict{})

func judging(v store.Verdict) *judge {
	j := new(judge)
	j.set(v)
	return j
}

func (j *judge) set(v store.Verdict) { j.verdict.Store(&v) }

func (j *judge) Judge(store.Object) store.Verdict { return *j.verdict.Load() }
