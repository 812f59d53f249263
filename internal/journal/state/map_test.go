package state

import (
	"errors"
	"maps"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/rescind-edge/rescind/internal/seed"
)

func key(id string) Key { return Key{KindToken, id} }

func token(id string, at int64, value string) Item {
	return Item{Key: key(id), Time: at, Value: []byte(value)}
}

func removed(id string, at int64) Item { return Item{Key: key(id), Time: at, Removed: true} }

func of(t testing.TB, horizon int64, items ...Item) *Map {
	t.Helper()
	m, err := Load(items, horizon)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// history is all that ever happened to some items, in order.
type history [][]Item

func randomHistory(r *rand.Rand) history {
	h := make(history, 4)
	for k := range h {
		at := int64(0)
		for range r.IntN(4) {
			at += 1 + r.Int64N(4)
			h[k] = append(h[k], token(strconv.Itoa(k), at, strconv.Itoa(r.IntN(2))))
		}
		if len(h[k]) > 0 && r.IntN(2) == 0 {
			h[k] = append(h[k], h[k][len(h[k])-1].Removal(at+r.Int64N(4)))
		}
	}
	return h
}

// randomMap is what a node may know of a history: of each item the beginning,
// at least up to its horizon, and without the removals up to that.
func (h history) randomMap(t testing.TB, r *rand.Rand) *Map {
	m := of(t, r.Int64N(18))
	if r.IntN(2) == 0 {
		m.horizon = 0
	}
	for _, item := range h {
		n := r.IntN(len(item) + 1)
		for n < len(item) && item[n].Time <= m.horizon {
			n++
		}
		if n > 0 && !(item[n-1].Removed && item[n-1].Time <= m.horizon) {
			m.set(item[n-1])
		}
	}
	return m
}

func merged(t testing.TB, a, b *Map) *Map {
	t.Helper()
	m := a.Clone()
	if _, err := m.Merge(b); err != nil {
		t.Fatal(err)
	}
	return m
}

func same(a, b *Map) bool {
	return a.Digest() == b.Digest() && a.horizon == b.horizon && a.bytes == b.bytes
}

func TestMergeIsALattice(t *testing.T) {
	r := seed.Rand(t)
	for range 5000 {
		h := randomHistory(r)
		a, b, c := h.randomMap(t, r), h.randomMap(t, r), h.randomMap(t, r)
		if ab := merged(t, a, b); !same(merged(t, a, a), a) || !same(merged(t, ab, b), ab) || !same(merged(t, ab, a), ab) {
			t.Fatalf("not idempotent:\n%+v\n%+v", a, b)
		}
		if !same(merged(t, a, b), merged(t, b, a)) {
			t.Fatalf("not commutative:\n%+v\n%+v", a, b)
		}
		if x, y := merged(t, merged(t, a, b), c), merged(t, a, merged(t, b, c)); !same(x, y) {
			t.Fatalf("not associative:\n%+v\n%+v\n%+v\n%+v\n%+v", a, b, c, x, y)
		}
	}
}

func TestMergeSaysWhatChanged(t *testing.T) {
	r := seed.Rand(t)
	for range 2000 {
		h := randomHistory(r)
		a, b := h.randomMap(t, r), h.randomMap(t, r)
		before := maps.Clone(a.items)
		changed, err := a.Merge(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range changed {
			if i.Removed {
				delete(before, i.Key)
			} else {
				before[i.Key] = i
			}
		}
		for k, i := range before {
			if now := a.items[k]; !i.Removed && (now.Removed || now.compare(&i) != 0) {
				t.Fatalf("%v is %v, told %v", k, now, i)
			}
		}
		for k, i := range a.items {
			if was, ok := before[k]; !i.Removed && (!ok || was.Removed) {
				t.Fatalf("nobody was told of %v", i)
			}
		}
	}
}

func TestRemovalWinsForEver(t *testing.T) {
	m := of(t, 0, token("a", 10, "x"))
	if m.Put(removed("a", 5)) != Changed || m.Put(token("a", 99, "again")) != Unchanged {
		t.Error("a removed id came back")
	}
	if len(m.Live(KindToken)) != 0 || m.Len() != 1 {
		t.Errorf("%+v", m)
	}
}

func TestTheLatestStands(t *testing.T) {
	m := of(t, 0, token("a", 2, "second"))
	if m.Put(token("a", 1, "first")) != Unchanged || m.Put(token("a", 3, "third")) != Changed {
		t.Error("times do not decide")
	}
	if i, _ := m.Get(key("a")); string(i.Value) != "third" {
		t.Errorf("%+v", i)
	}
}

func TestNextAndRemovalNeverGoBack(t *testing.T) {
	i := token("a", 100, "x")
	next := i.Next(50, []byte("y"))
	gone := next.Removal(20)
	if next.Time <= i.Time || gone.Time <= next.Time || !gone.Removed || len(gone.Value) > 0 {
		t.Errorf("%+v, %+v", next, gone)
	}
}

func TestAForgottenRemovalStaysRemoved(t *testing.T) {
	now := int64(10) + TombstoneLife.Milliseconds()
	m := of(t, 0, removed("a", 10), token("b", 10, "x"))
	m.Trim(now - 1)
	if m.Len() != 2 {
		t.Error("forgotten too early")
	}
	m.Trim(now)
	if m.Len() != 1 || m.Horizon() != 10 {
		t.Errorf("%+v", m)
	}
	if o := m.Put(token("a", 9, "again")); o != RefusedOld {
		t.Errorf("%v", o)
	}
	// A node that slept for longer than a year wakes up with what was removed.
	sleeper := of(t, 0, token("a", 9, "x"))
	changed, err := sleeper.Merge(m)
	if err != nil || len(changed) != 2 || len(sleeper.Live(KindToken)) != 1 {
		t.Errorf("%v, %v", changed, err)
	}
	if o := m.Put(token("c", 11, "new")); o != Changed {
		t.Errorf("what is new: %v", o)
	}
}

func TestBounds(t *testing.T) {
	m := &Map{}
	value := make([]byte, MaxValue)
	n := 0
	for m.Put(Item{Key: key(strconv.Itoa(n)), Time: 1, Value: value}) == Changed {
		n++
	}
	if m.bytes > MaxBytes || n < 1000 {
		t.Errorf("%d items, %d bytes", n, m.bytes)
	}
	if m.Put(removed("0", 2)) != Changed {
		t.Error("what is full cannot be emptied")
	}
	other := &Map{}
	for i := range n {
		other.set(Item{Key: key("o" + strconv.Itoa(i)), Time: 1, Value: value})
	}
	before := m.Digest()
	if _, err := m.Merge(other); !errors.Is(err, ErrFull) || m.Digest() != before {
		t.Errorf("%v", err)
	}
	for _, i := range []Item{
		{}, {Key: key("")}, {Key: Key{0, "a"}}, token("a", 1, string(make([]byte, MaxValue+1))),
		token(string(make([]byte, MaxID+1)), 1, ""), {Key: key("a"), Removed: true, Value: []byte("x")},
	} {
		if err := i.Validate(); !errors.Is(err, ErrBadItem) {
			t.Errorf("%v", err)
		}
	}
}
