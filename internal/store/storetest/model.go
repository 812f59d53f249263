package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// model is a store that is too simple to be wrong: one list, searched from end
// to end. It has no budget and evicts nothing.
type model struct {
	objects []spec // in the order in which they were put in
}

func (m *model) put(sp spec) bool {
	for _, o := range m.objects {
		if o.url == sp.url && o.variant == sp.variant && o.stamp > sp.stamp {
			return false
		}
	}
	m.replace(sp)
	return true
}

// replace is put whatever the stamps: what forbade it may have been evicted.
func (m *model) replace(sp spec) {
	m.objects = slices.DeleteFunc(m.objects, func(o spec) bool {
		return o.url == sp.url && o.variant == sp.variant
	})
	m.objects = append(m.objects, sp)
}

// get returns the id of the newest match, -1 for none.
func (m *model) get(url int, variants matching) int {
	best := -1
	for i, o := range m.objects {
		for _, v := range variants {
			if o.url == url && o.variant == v && (best < 0 || o.stamp >= m.objects[best].stamp) {
				best = i
			}
		}
	}
	if best < 0 {
		return -1
	}
	return m.objects[best].id
}

func (m *model) remove(id int) {
	m.objects = slices.DeleteFunc(m.objects, func(o spec) bool { return o.id == id })
}

func (m *model) has(id int) bool {
	return slices.ContainsFunc(m.objects, func(o spec) bool { return o.id == id })
}

// ids returns each object's id once, of one URL, or of all where url < 0.
func (m *model) ids(url int) map[int]int {
	seen := make(map[int]int)
	for _, o := range m.objects {
		if url < 0 || o.url == url {
			seen[o.id]++
		}
	}
	return seen
}

const (
	modelURLs     = 6
	modelVariants = 5
)

func randomSpec(rnd *rand.Rand, id, most int) spec {
	return spec{
		id:      id,
		url:     rnd.IntN(modelURLs),
		variant: fmt.Sprint(rnd.IntN(modelVariants)),
		stamp:   field.Position(1000 + id/5 - rnd.IntN(8)),
		size:    rnd.IntN(most) - 1,
	}
}

func randomMatch(rnd *rand.Rand) (m matching) {
	for v := range modelVariants {
		if rnd.IntN(2) == 0 {
			m = append(m, fmt.Sprint(v))
		}
	}
	return m
}

// testModel compares a store that has room for everything with the model,
// after every step of a random history.
func testModel(t *testing.T, open New) {
	s, m, rnd := open(t, 16<<20), new(model), random(t)
	for id := range 3000 {
		url := rnd.IntN(modelURLs)
		switch rnd.IntN(10) {
		case 0, 1, 2, 3:
			sp := randomSpec(rnd, id, 3000)
			if got, want := put(t, s, sp), m.put(sp); got != want {
				t.Fatalf("step %d: Put is %v, want %v", id, got, want)
			}
		case 4, 5, 6, 7:
			match := randomMatch(rnd)
			wants(t, s, url, match, m.get(url, match))
		case 8:
			if o := s.Get(keyOf(url), randomMatch(rnd)); o.Found() {
				m.remove(idOf(o))
				s.Remove(o, store.Removed)
				o.Release()
			}
		case 9:
			if got, want := urlIDs(s, url), m.ids(url); !maps.Equal(got, want) {
				t.Fatalf("step %d: WalkURL visits %v, want %v", id, got, want)
			}
			if got, want := ids(s), m.ids(-1); !maps.Equal(got, want) {
				t.Fatalf("step %d: Walk visits %v, want %v", id, got, want)
			}
		}
		stats := s.Stats()
		if want := cost(s); stats.Objects != int64(len(m.objects)) || stats.Bytes != want {
			t.Fatalf("step %d: %d objects, %d bytes; want %d, %d", id, stats.Objects, stats.Bytes, len(m.objects), want)
		}
		if t.Failed() {
			t.Fatalf("step %d", id)
		}
	}
	Empty(t, s)
}

// cost returns what the stored objects take by their own account.
func cost(s store.Store) (n int64) {
	s.Walk(func(o store.Object) bool {
		n += o.Cost()
		return true
	})
	return n
}

// testPressure runs a random history on a store that has room for few objects.
// What it evicts is its choice; but what it returns must be in the model, and
// its books must balance.
func testPressure(t *testing.T, open New) {
	s, m, rnd := open(t, 256<<10), new(model), random(t)
	var held []store.Object
	var puts int64
	for id := range 3000 {
		url := rnd.IntN(modelURLs)
		switch rnd.IntN(8) {
		case 0, 1, 2:
			sp := randomSpec(rnd, id, 50_000)
			if put(t, s, sp) {
				m.replace(sp)
				puts++
			}
		case 3, 4:
			if o := s.Get(keyOf(url), anything{}); o.Found() {
				if !m.has(idOf(o)) {
					t.Fatalf("step %d: object %d had been replaced or removed", id, idOf(o))
				}
				held = append(held, o)
			}
		case 5, 6:
			if len(held) > 0 {
				i := rnd.IntN(len(held))
				check(t, held[i])
				held[i].Release()
				held = append(held[:i], held[i+1:]...)
			}
		case 7:
			if o := s.Get(keyOf(url), randomMatch(rnd)); o.Found() {
				m.remove(idOf(o))
				s.Remove(o, store.Removed)
				o.Release()
			}
		}
		stats := s.Stats()
		if stats.Bytes > stats.Budget {
			t.Fatalf("step %d: %d bytes in use of %d", id, stats.Bytes, stats.Budget)
		}
		var gone int64
		for _, n := range stats.Gone {
			gone += n
		}
		if stats.Objects+gone != puts {
			t.Fatalf("step %d: %d stored and %d gone of %d", id, stats.Objects, gone, puts)
		}
	}
	for _, o := range held {
		o.Release()
	}
	Empty(t, s)
}
