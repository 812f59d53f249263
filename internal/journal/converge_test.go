package journal

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/seed"
)

// site is a node in the model: beside the Set under test it remembers, the dumb
// way, which effects have been in force on it.
type site struct {
	set     *Set
	applied map[string]bool // bodies
	dropped map[ID]bool     // conceded: what was stored before was dropped
}

// world is some sites that exchange entries in random ways.
type world struct {
	t      *testing.T
	r      *rand.Rand
	now    int64
	next   byte
	sites  []*site
	issued map[string]ID // bodies
	limits Limits
}

func (w *world) incarnation() Incarnation {
	w.next++
	return Incarnation{byte(w.r.Uint32()), w.next, 15: 1}
}

func newWorld(t *testing.T, r *rand.Rand) *world {
	w := &world{t: t, r: r, now: start, issued: map[string]ID{}}
	w.limits = Limits{Retention: time.Hour, Bytes: 40 * entryOverhead}
	for range 2 + r.IntN(4) {
		w.sites = append(w.sites, &site{NewSet(w.incarnation(), w.limits), map[string]bool{}, map[ID]bool{}})
	}
	return w
}

func (w *world) any() *site { return w.sites[w.r.IntN(len(w.sites))] }

func (w *world) issue(s *site) {
	body := fmt.Sprintf("entry %d", len(w.issued))
	w.reissue(s, Draft{Kind: KindPurge, Body: []byte(body)})
}

func (w *world) reissue(s *site, d Draft) {
	e := issue(w.t, s.set, w.now, d)
	if d.Kind == KindRetire {
		return
	}
	w.issued[string(d.Body)] = e.ID
	s.applied[string(d.Body)] = true
}

// accept offers an entry as the durable form does, and holds the outcome
// against the model.
func (w *world) accept(s *site, e Entry) {
	o := s.set.Accept(w.now, &e)
	own, _ := s.set.Own()
	if o == OwnAhead || o == Conflict && e.Incarnation == own {
		for _, d := range s.set.Retire(w.incarnation()) {
			w.reissue(s, d)
		}
		if o == OwnAhead {
			o = s.set.Accept(w.now, &e)
		}
	}
	body := string(e.Body)
	switch {
	case o.Apply():
		s.applied[body] = true
		if s.set.Disputed(&e) {
			for _, d := range s.set.Retire(w.incarnation()) {
				w.reissue(s, d)
			}
		}
	case o == Known && !s.applied[body] && !s.dropped[e.ID]:
		w.t.Fatalf("%v (%s) counts as known and was never applied", e.ID, body)
	case o == RefusedAncient, o == RefusedFull:
		w.t.Fatalf("%v: %v", e.ID, o)
	}
}

// pull lets a site fetch from others what it lacks, in any order, with losses
// and repetitions.
func (w *world) pull(s *site, loss float64, from ...*site) {
	var vectors []Vector
	for _, o := range from {
		if s.set.Cloned(o.set.Vector()) {
			for _, d := range s.set.Retire(w.incarnation()) {
				w.reissue(s, d)
			}
		}
		vectors = append(vectors, o.set.Vector())
	}
	plan := NewPlan(s.set.Vector(), vectors, 0)
	for i, ranges := range plan.Fetch {
		entries := from[i].set.Supply(Request{Ranges: ranges, Entries: 1 + w.r.IntN(20)}).Entries
		w.r.Shuffle(len(entries), func(a, b int) { entries[a], entries[b] = entries[b], entries[a] })
		for _, e := range entries {
			for w.r.Float64() >= loss {
				w.accept(s, e)
				if w.r.IntN(4) > 0 {
					break
				}
			}
		}
	}
	if len(from) == len(w.sites)-1 { // all were asked: nobody can supply the gap
		w.concede(s, plan.Gap, vectors)
	}
}

func (w *world) concede(s *site, gap []Range, vectors []Vector) {
	done := s.set.Concede(w.now, gap, func(i Incarnation) int64 {
		var newest int64
		for _, v := range vectors {
			newest = max(newest, v[i].Newest)
		}
		return newest
	})
	for _, r := range done {
		for seq := range modelOf(r.Spans) {
			s.dropped[ID{r.Incarnation, seq}] = true
		}
	}
}

// restart takes a site through its disk: rows, then entries, then a new
// incarnation.
func (w *world) restart(s *site) {
	next := NewSet(w.incarnation(), w.limits)
	if w.r.IntN(2) == 0 {
		next.Restore(s.set.Vector())
	}
	s.set.Each(func(at int64, e *Entry) { next.Keep(at, e) })
	next.Restore(s.set.Vector())
	if a, b := s.set.Vector(), next.Vector(); !a.Equal(b) {
		w.t.Fatalf("a restart changes what is known:\n%v\n%v", a, b)
	}
	s.set = next
}

// clone makes a second site that goes on from the memory of a first.
func (w *world) clone(s *site) {
	own, issued := s.set.Own()
	c := &site{NewSet(own, w.limits), map[string]bool{}, map[ID]bool{}}
	c.set.Restore(s.set.Vector())
	s.set.Each(func(at int64, e *Entry) { c.set.Keep(at, e) })
	c.set.issued = issued
	for b := range s.applied {
		c.applied[b] = true
	}
	for id := range s.dropped {
		c.dropped[id] = true
	}
	w.sites = append(w.sites, c)
}

func (w *world) others(s *site) []*site {
	var others []*site
	for _, o := range w.sites {
		if o != s {
			others = append(others, o)
		}
	}
	return others
}

func (w *world) step() {
	s := w.any()
	switch k := w.r.IntN(100); {
	case k < 45:
		w.issue(s)
	case k < 80:
		if o := w.any(); o != s {
			w.pull(s, 0.3, o)
		}
	case k < 90:
		w.now += w.r.Int64N(10 * minute)
		s.set.Trim(w.now)
	case k < 96:
		w.restart(s)
	case k < 98:
		w.pull(s, 0.1, w.others(s)...)
	}
}

// settle exchanges until nobody learns anything more.
func (w *world) settle() {
	for range 200 {
		changed := false
		for _, s := range w.sites {
			before := s.set.Vector()
			w.pull(s, 0, w.others(s)...)
			changed = changed || !before.Equal(s.set.Vector())
		}
		if !changed {
			return
		}
	}
	w.t.Fatal("sites never agree")
}

func (w *world) check() {
	first := w.sites[0].set.Vector().Digests()
	for _, s := range w.sites {
		if d := s.set.Vector().Digests(); d != first {
			w.t.Fatalf("sites know different things:\n%v\n%v", w.sites[0].set.Vector(), s.set.Vector())
		}
		if u := s.set.Usage(); u.Entries != len(s.set.arrivals.items)-s.set.arrivals.head-w.stale(s) {
			w.t.Fatalf("%+v: %d arrivals", u, len(s.set.arrivals.items)-s.set.arrivals.head)
		}
	}
	for body, id := range w.issued {
		for i, s := range w.sites {
			if !s.applied[body] && !s.dropped[id] {
				w.t.Fatalf("site %d never applied %v (%s)", i, id, body)
			}
		}
	}
}

func (w *world) stale(s *site) int {
	n := 0
	for _, a := range s.set.arrivals.items[s.set.arrivals.head:] {
		if a.seq <= a.slot.Floor {
			n++
		}
	}
	return n
}

func TestSitesConverge(t *testing.T) {
	r := seed.Rand(t)
	for range 60 {
		w := newWorld(t, r)
		for range 200 {
			w.step()
		}
		w.settle()
		w.check()
	}
}

func TestClonedSitesConverge(t *testing.T) {
	r := seed.Rand(t)
	for range 60 {
		w := newWorld(t, r)
		w.limits.Bytes = DefaultRetentionBytes
		w.sites = w.sites[:1]
		w.sites[0].set.limits = w.limits
		w.sites[0].set.limits.Retention = DefaultRetention
		for range r.IntN(4) {
			w.issue(w.sites[0])
		}
		w.clone(w.sites[0])
		for _, s := range w.sites { // both go on before they meet
			for range r.IntN(5) {
				w.issue(s)
			}
		}
		if r.IntN(2) == 0 {
			w.settle() // before they notice each other
		}
		w.notice()
		w.settle()
		w.check()
	}
}

// notice lets two sites of one incarnation see each other alive: both retire it.
func (w *world) notice() {
	a, _ := w.sites[0].set.Own()
	if b, _ := w.sites[1].set.Own(); a != b {
		return
	}
	for _, s := range w.sites {
		for _, d := range s.set.Retire(w.incarnation()) {
			w.reissue(s, d)
		}
	}
}
