package purge

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

var (
	seedFlag = flag.Uint64("seed", 0, "replay one history of TestModel")
	runsFlag = flag.Int("runs", 200, "histories of TestModel")
)

// TestModel runs random histories of fetches, look-ups, joins, revalidations,
// purges, reverts, sweeps and folding through the engine and a toy store, and
// through a model that remembers every purge and forgets nothing. A failing
// history replays with -seed.
func TestModel(t *testing.T) {
	bans := compiledBans(t)
	if *seedFlag != 0 {
		runHistory(t, *seedFlag, bans)
		return
	}
	base := rand.Uint64()
	for i := range *runsFlag {
		seed := base + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runHistory(t, seed, bans) })
		if t.Failed() {
			t.Fatalf("replay with: go test ./internal/purge -run TestModel -seed %d", seed)
		}
	}
}

// world is one history: the engine under test, a toy store, and the model.
type world struct {
	t      *testing.T
	rng    *rand.Rand
	engine *Engine
	bans   []*Predicate
	now    int64
	tight  bool // marks merge and fold: the engine may take too much, never too little
	step   int

	objects []*object
	fetches []*fetch
	purges  []*modelPurge
	waiting []arrival
	sweep   *Sweep
	walk    []*object
	sweepAt int64
}

type object struct {
	service string
	tags    Tags
	head    *Response
	stamp   field.Position
	began   int // step at which its fetch began
	own     field.Times
	bound   field.Times // by soft purges whose marks are dropped
	gone    bool
	seen    field.Position // found live up to here, as a store remembers it
}

type fetch struct {
	lease   Lease
	service string
	began   int
	base    *object   // of a conditional request
	tags    Tags      // known once the head is
	head    *Response // likewise
}

type modelPurge struct {
	id        ID
	service   string
	tags      []field.Tag
	asked     []modelSelector
	effect    Effect
	step      int // at which it was applied
	at        int64
	reverted  bool
	unsure    bool // reverted in part
	forgotten bool // its revert came after its marks were dropped
}

var modelServices = []string{"shop", "news"}

const window = 60 * int64(time.Second)

func runHistory(t *testing.T, seed uint64, bans []*Predicate) {
	rng := rand.New(rand.NewPCG(seed, 1))
	w := &world{t: t, rng: rng, now: 1e18, tight: seed%3 == 0, bans: bans}
	cfg := Config{UndoWindow: time.Duration(window)}
	if w.tight {
		cfg.MarkBytes = 2000 << (seed % 5)
		cfg.Predicates = 1 + int(seed%7)
	}
	w.engine = NewEngine(cfg)
	steps := []struct {
		weight int
		do     func()
	}{
		{6, w.begin}, {4, w.head}, {6, w.store}, {3, w.revalidate}, {3, w.arrive}, {6, w.join}, {10, w.lookup},
		{4, w.purge}, {2, w.revert}, {1, w.revertAhead}, {3, w.sweepStep}, {4, w.tick},
	}
	total := 0
	for _, s := range steps {
		total += s.weight
	}
	for w.step = 1; w.step <= 400 && !t.Failed(); w.step++ {
		n := rng.IntN(total)
		for _, s := range steps {
			if n -= s.weight; n < 0 {
				s.do()
				break
			}
		}
		w.checkAll()
	}
}

func (w *world) pick(n int) bool { return w.rng.IntN(n) == 0 }

func (w *world) someTags(most int) Tags {
	universe := 3 + w.rng.IntN(8)
	if !w.tight {
		universe = 60 // so that no tag is purged often enough to merge
	}
	tags := make(Tags, 1+w.rng.IntN(most))
	for i := range tags {
		// Spread over the shards, some in one slot of the fixed array.
		tags[i] = field.Tag(uint64(w.rng.IntN(universe)+1) << 58 >> (w.rng.IntN(2) * 46))
	}
	return tags
}

func (w *world) begin() {
	service := modelServices[w.rng.IntN(2)]
	w.fetches = append(w.fetches, &fetch{lease: w.engine.Service(service).Begin(), service: service, began: w.step})
}

func (w *world) someFetch(headKnown bool) *fetch {
	var some []*fetch
	for _, f := range w.fetches {
		if (f.tags != nil) == headKnown {
			some = append(some, f)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[w.rng.IntN(len(some))]
}

func (w *world) head() {
	if f := w.someFetch(false); f != nil {
		f.tags = w.someTags(5)
		f.head = w.someHead(f.tags)
		if f.base != nil && w.pick(2) {
			f.tags, f.head = f.base.tags, f.base.head // a 304 that says nothing new
		}
	}
}

// store ends a fetch whose head is known: publish, then end the lease.
func (w *world) store() {
	f := w.someFetch(true)
	if f == nil {
		return
	}
	w.fetches = slices.DeleteFunc(w.fetches, func(x *fetch) bool { return x == f })
	defer f.lease.End()
	s := w.engine.Service(f.service)
	tags, stamp := f.tags, f.lease.Stamp()
	own := w.someTimes()
	if f.base != nil {
		if v := w.judge(f.base); f.base.gone || v.State == Withdrawn {
			return // the base died: fetch again without conditions
		}
		v := s.JudgeRenewed(f.base.head, f.head, stamp, own)
		if v.State == Withdrawn {
			return
		}
		w.checkRenewed(f, own, v)
		own = v.Times
	}
	w.objects = append(w.objects, &object{service: f.service, tags: tags, head: f.head, stamp: stamp, began: f.began, own: own, bound: own})
}

func (w *world) someTimes() field.Times {
	d := func() int64 { return w.rng.Int64N(100) * int64(time.Second) }
	t := field.Times{Fresh: w.now + d()}
	t.SWR, t.SIE = t.Fresh+d(), t.Fresh+d()
	t.Keep = max(t.SWR, t.SIE) + d()
	return t
}

// judge is what a store does: bounds from the object's original times, beside
// those that were written into it, by the purges since it was found live.
func (w *world) judge(o *object) Verdict {
	v := w.engine.Service(o.service).Judge(o.head, max(o.stamp, o.seen), o.own)
	v.Times = v.Times.Min(o.bound)
	return v
}

func (w *world) someObject() *object {
	if len(w.objects) == 0 {
		return nil
	}
	return w.objects[w.rng.IntN(len(w.objects))]
}

// revalidate starts a conditional fetch: the lease first, then the judgement.
func (w *world) revalidate() {
	o := w.someObject()
	if o == nil {
		return
	}
	s := w.engine.Service(o.service)
	lease := s.Begin()
	if w.judge(o).State == Withdrawn {
		lease.End()
		return
	}
	w.fetches = append(w.fetches, &fetch{lease: lease, service: o.service, began: w.step, base: o})
}

// arrival is a request that waits, with the position at which it began.
type arrival struct {
	service string
	pos     field.Position
	step    int
}

func (w *world) arrive() {
	service := modelServices[w.rng.IntN(2)]
	w.waiting = append(w.waiting, arrival{service, w.engine.Service(service).Position(), w.step})
}

// join lets a waiting request share a fetch under way whose head is known.
func (w *world) join() {
	f := w.someFetch(true)
	if f == nil || len(w.waiting) == 0 {
		return
	}
	a := w.waiting[w.rng.IntN(len(w.waiting))]
	if a.service != f.service {
		return
	}
	refused := w.engine.Service(f.service).Concerned(f.head, f.lease.Stamp(), a.pos)
	concerned := false
	for _, p := range w.purges {
		between := p.step > f.began && p.step <= a.step
		concerned = concerned || !p.reverted && p.service == f.service && between && p.concerns(f.head)
	}
	if concerned && !refused {
		w.t.Errorf("step %d: a request joins a fetch that began before a purge of its tags", w.step)
	}
	if refused && !concerned && !w.tight && !w.anyUnsure() && !w.absorbed(f) {
		w.t.Errorf("step %d: a join was refused for no reason", w.step)
	}
}

// absorbed tells whether a purge for good stands for earlier ones too under a
// tag of the fetch: it then keeps requests from a fetch between them as well.
func (w *world) absorbed(f *fetch) bool {
	return slices.ContainsFunc(f.head.Tags, func(tag field.Tag) bool {
		m := w.engine.Service(f.service).marks.get(tag)
		return m != nil && slices.ContainsFunc(m.entries, func(e entry) bool { return e.first < e.pos })
	})
}

func (w *world) anyUnsure() bool {
	return slices.ContainsFunc(w.purges, func(p *modelPurge) bool { return p.unsure })
}

func intersects(a, b []field.Tag) bool {
	return slices.ContainsFunc(a, func(t field.Tag) bool { return slices.Contains(b, t) })
}

func (w *world) purge() {
	p := &modelPurge{id: NewID(w.now / 1e6), service: modelServices[w.rng.IntN(2)], step: w.step, at: w.now}
	w.ask(p)
	if w.pick(2) {
		d := func() time.Duration { return time.Duration(w.rng.Int64N(80)-20) * time.Second }
		p.effect = Effect{Mode: Soft, TTL: d(), Grace: d(), Keep: d()}
		if w.pick(3) {
			p.effect = SoftEffect()
		}
	}
	if w.pick(4) {
		p.effect.At = w.now - w.rng.Int64N(10*int64(time.Second)) // issued elsewhere, earlier
	}
	w.apply(p)
	if w.pick(4) {
		if a := w.engine.Apply(w.now, w.asPurge(p)); !a.Known && !w.tight { // one that folded at once is forgotten
			w.t.Errorf("step %d: a repeated purge was applied twice", w.step)
		}
	}
}

func (w *world) asPurge(p *modelPurge) Purge {
	out := Purge{ID: p.id, Service: p.service, Tags: p.tags, Effect: p.effect}
	for _, a := range p.asked {
		out.Predicates = append(out.Predicates, a.predicate)
	}
	return out
}

func (w *world) apply(p *modelPurge) {
	before := w.engine.Service(p.service).Position()
	a := w.engine.Apply(w.now, w.asPurge(p))
	if a.Position <= before {
		w.t.Errorf("step %d: position went from %d to %d", w.step, before, a.Position)
	}
	p.reverted = p.reverted || a.Void
	p.effect = effectAt(p.effect, w.now)
	w.purges = append(w.purges, p)
}

func (w *world) revert() {
	if len(w.purges) == 0 {
		return
	}
	p := w.purges[len(w.purges)-1-w.rng.IntN(min(len(w.purges), 8))]
	switch undo := w.engine.Revert(w.now, p.id); undo {
	case Undone:
		p.reverted = true
	case UndoneInPart:
		p.unsure = true
		if !w.tight {
			w.t.Errorf("step %d: undone in part without a reason", w.step)
		}
	case UndoneAhead: // swept and forgotten: it is not there to be undone
		p.forgotten = true
		if w.now < p.at+window && !w.tight {
			w.t.Errorf("step %d: forgotten within the window", w.step)
		}
	case UndoneAlready:
		if !p.reverted && !p.unsure && !p.forgotten {
			w.t.Errorf("step %d: undone already, but it was not", w.step)
		}
	case UndoTooLate:
		if w.now < p.at+window && !w.tight {
			w.t.Errorf("step %d: too late within the window", w.step)
		}
	}
}

// revertAhead reverts a purge before it arrives.
func (w *world) revertAhead() {
	p := &modelPurge{id: NewID(w.now / 1e6), service: "shop", step: w.step, at: w.now}
	w.ask(p)
	if undo := w.engine.Revert(w.now, p.id); undo != UndoneAhead {
		w.t.Errorf("step %d: revert ahead of its purge: %v", w.step, undo)
	}
	w.apply(p)
	if !p.reverted {
		w.t.Errorf("step %d: a purge took effect after its revert", w.step)
	}
}

// sweepStep begins a pass, settles one object, or ends the pass.
func (w *world) sweepStep() {
	if w.sweep == nil {
		sw := w.engine.BeginSweep(w.now)
		w.sweep, w.walk, w.sweepAt = &sw, slices.Clone(w.objects), w.now
		return
	}
	for range 1 + w.rng.IntN(30) {
		if len(w.walk) == 0 {
			w.engine.EndSweep(*w.sweep)
			w.sweep = nil
			return
		}
		o := w.walk[0]
		w.walk = w.walk[1:]
		r := w.engine.Service(o.service).Settle(o.head, max(o.stamp, o.seen), o.own, w.sweepAt)
		if r.Gone {
			o.gone = true
			w.objects = slices.DeleteFunc(w.objects, func(x *object) bool { return x == o })
			continue
		}
		o.bound = o.bound.Min(r.Times)
		if r.UpTo > 0 {
			o.seen = max(o.seen, r.UpTo)
		}
	}
}

func (w *world) tick() {
	w.now += w.rng.Int64N(30 * int64(time.Second))
}

func (w *world) lookup() {
	if o := w.someObject(); o != nil {
		s := w.engine.Service(o.service)
		if o.seen == s.Position() {
			return
		}
		if v := w.judge(o); v.State == Live {
			o.seen = v.UpTo
		}
	}
}

// checkAll holds promise 1 for every stored object: the engine's verdict is
// never milder than what every purge of the history demands, and without
// merging and folding it is that exactly.
func (w *world) checkAll() {
	for _, o := range w.objects {
		s := w.engine.Service(o.service)
		want := Verdict{Times: o.own}
		unsure := false
		for _, p := range w.purges {
			if p.service != o.service || p.step <= o.began || p.reverted || !p.concerns(o.head) {
				continue
			}
			if p.unsure {
				unsure = true
				continue
			}
			if p.effect.Mode == Hard {
				want.State = Withdrawn
				continue
			}
			want.State = max(want.State, Softened)
			want.Times = want.Times.Min(p.effect.Bound(o.own))
		}
		want.Times = want.Times.Min(o.bound)
		got := w.judge(o)
		if o.seen == s.Position() {
			got = Verdict{Times: o.bound} // what a store that remembers would say
		}
		w.compare(o, got, want, unsure)
	}
}

func (w *world) compare(o *object, got, want Verdict, unsure bool) {
	if want.State == Withdrawn {
		if got.State != Withdrawn {
			w.t.Errorf("step %d: a purged object of %s is %v (stamp %d, tags %v)", w.step, o.service, got.State, o.stamp, o.tags)
		}
		return
	}
	if got.State != Withdrawn && got.Times.Min(want.Times) != got.Times {
		w.t.Errorf("step %d: soft purges allow %+v, the engine %+v", w.step, want.Times, got.Times)
	}
	if w.tight || unsure {
		return
	}
	if got.State == Withdrawn || got.Times != want.Times {
		w.t.Errorf("step %d: want %v %+v, got %v %+v", w.step, want.State, want.Times, got.State, got.Times)
	}
}
