package memory

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

// sieve is SIEVE on a slice, oldest first: hand is an index, and from the newest
// it goes on to the oldest at once.
type sieve struct {
	order []*record
	used  map[*record]bool
	hand  int
}

func (m *sieve) unlink(e *record) {
	i := slices.Index(m.order, e)
	m.order = slices.Delete(m.order, i, i+1)
	if i < m.hand {
		m.hand--
	}
	m.wrap()
}

func (m *sieve) wrap() {
	if m.hand == len(m.order) {
		m.hand = 0
	}
}

func (m *sieve) victim() *record {
	if len(m.order) == 0 {
		return nil
	}
	for passed := 0; ; passed++ {
		e := m.order[m.hand]
		m.hand++
		m.wrap()
		if !m.used[e] || passed == mostPassed {
			return e
		}
		m.used[e] = false
	}
}

// newQueue returns a queue and what makes records for it.
func newQueue() (*queue, func() *record) {
	pool := slab.NewPool(slab.Config{Limit: 8 << 20})
	q := &queue{slots: slots{pool}}
	return q, func() *record {
		ref, ok := pool.Alloc(recordBytes)
		if !ok {
			panic("no room for a record")
		}
		r := q.at(ref)
		r.Init(field.Key{}, 0)
		r.self = ref
		r.flags.Store(0)
		return r
	}
}

func TestQueueIsSieve(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	q, newRecord := newQueue()
	m := sieve{used: make(map[*record]bool)}
	for step := range 20_000 {
		switch rnd.IntN(7) {
		case 0, 1:
			if len(m.order) < 40 { // few enough for many laps of the hand
				e := newRecord()
				q.link(e)
				m.order = append(m.order, e)
			}
		case 2, 3:
			if len(m.order) > 0 {
				e := m.order[rnd.IntN(len(m.order))]
				e.flags.Or(flagVisited)
				m.used[e] = true
			}
		case 4:
			got, want := q.victim(), m.victim()
			if got != want {
				t.Fatalf("step %d: another victim than SIEVE's", step)
			}
			if got != nil {
				q.unlink(got)
				m.unlink(got)
			}
		case 5:
			if len(m.order) > 0 && rnd.IntN(2) == 0 {
				e := m.order[rnd.IntN(len(m.order))]
				q.unlink(e)
				m.unlink(e)
			}
		case 6:
			for _, e := range q.window(nil, 3) {
				if !slices.Contains(m.order, e) {
					t.Fatalf("step %d: a window shows what has left", step)
				}
			}
		}
		if q.mu.length != len(m.order) {
			t.Fatalf("step %d: %d entries, want %d", step, q.mu.length, len(m.order))
		}
	}
}

// TestQueueHandIsBounded: where everything was used the hand still decides soon.
func TestQueueHandIsBounded(t *testing.T) {
	q, newRecord := newQueue()
	entries := make([]*record, 10*mostPassed)
	for i := range entries {
		entries[i] = newRecord()
		entries[i].flags.Or(flagVisited)
		q.link(entries[i])
	}
	if got, want := q.victim(), entries[mostPassed]; got != want {
		t.Error("the hand did not stop after mostPassed entries")
	}
	if q.mu.hand != entries[mostPassed+1].self {
		t.Error("the hand does not go on behind its victim")
	}
}

func TestQueueWindowCoversAll(t *testing.T) {
	q, newRecord := newQueue()
	if got := q.window(nil, judged); len(got) != 0 {
		t.Fatalf("an empty queue has a window of %d", len(got))
	}
	entries := make([]*record, 100)
	for i := range entries {
		entries[i] = newRecord()
		q.link(entries[i])
	}
	seen := make(map[*record]int)
	for range 10 {
		window := q.window(nil, 10)
		for _, e := range window {
			seen[e]++
		}
		q.unlink(window[0]) // where a window began does not matter
		q.link(window[0])
	}
	for i := range entries {
		if seen[entries[i]] == 0 {
			t.Errorf("entry %d was in no window of a lap", i)
		}
	}
	if got := q.window(nil, 1000); len(got) != 100 {
		t.Errorf("a window of %d entries of 100: one was in it twice", len(got))
	}
}
