package journal

import (
	"maps"
	"testing"

	"github.com/rescind-edge/rescind/internal/seed"
)

func TestSpansAgreeWithSets(t *testing.T) {
	r := seed.Rand(t)
	for range 5000 {
		a, b, at := randomSpans(r), randomSpans(r), r.Uint64N(50)
		ma, mb := modelOf(a), modelOf(b)
		low := model{}
		for seq := range ma {
			if seq <= at {
				low[seq] = true
			}
		}
		for name, c := range map[string]struct {
			got  Spans
			want model
		}{
			"union": {a.Union(b), ma.union(mb)},
			"minus": {a.Minus(b), ma.minus(mb)},
			"above": {a.Above(at), ma.minus(low)},
			"up to": {a.UpTo(at), low},
		} {
			if !c.got.Canonical() || !maps.Equal(modelOf(c.got), c.want) {
				t.Fatalf("%s of %v and %v (%d): %v, want %v", name, a, b, at, c.got, c.want)
			}
		}
		if a.Has(at) != ma[at] || a.Count() != uint64(len(ma)) {
			t.Fatalf("%v: Has(%d) %v, Count %d", a, at, a.Has(at), a.Count())
		}
	}
}

func TestRowsAgreeWithSets(t *testing.T) {
	r := seed.Rand(t)
	for range 500 {
		var row Row
		want := model{}
		for range 60 {
			seq := 1 + r.Uint64N(70)
			if row.Knows(seq) != want[seq] {
				t.Fatalf("%v knows %d: %v", row, seq, row.Knows(seq))
			}
			if !want[seq] {
				row.add(seq)
			}
			want[seq] = true
			if !maps.Equal(modelOf(row.Known()), want) || !row.Known().Canonical() {
				t.Fatalf("%v after %d, want %v", row, seq, want)
			}
		}
	}
}

func TestMergeIsALattice(t *testing.T) {
	r := seed.Rand(t)
	for range 3000 {
		a, b, c := randomVector(r), randomVector(r), randomVector(r)
		if ab := a.Merge(b); !ab.Merge(b).Equal(ab) || !ab.Merge(a).Equal(ab) || !a.Merge(a).Equal(a) {
			t.Fatalf("not idempotent:\n%v\n%v", a, b)
		}
		if !a.Merge(b).Equal(b.Merge(a)) {
			t.Fatalf("not commutative:\n%v\n%v", a, b)
		}
		if !a.Merge(b).Merge(c).Equal(a.Merge(b.Merge(c))) {
			t.Fatalf("not associative:\n%v\n%v\n%v", a, b, c)
		}
		for i, row := range a.Merge(b) {
			if !maps.Equal(modelOf(row.Known()), modelOf(a[i].Known()).union(modelOf(b[i].Known()))) {
				t.Fatalf("%v is not the union of %v and %v", row, a[i], b[i])
			}
		}
	}
}

func TestCompareAgreesWithSets(t *testing.T) {
	r := seed.Rand(t)
	for range 3000 {
		a, b := randomVector(r), randomVector(r)
		d, back := Compare(a, b, 0), Compare(b, a, 0)
		for i := range a.Merge(b) {
			ka, kb := modelOf(a[i].Known()), modelOf(b[i].Known())
			want, gone := spansOf(d.Want, i), spansOf(d.Gone, i)
			if !maps.Equal(want.union(gone), kb.minus(ka)) {
				t.Fatalf("%v lacks %v and %v of %v", a[i], want, gone, b[i])
			}
			for seq := range want {
				if seq <= b[i].Floor {
					t.Fatalf("%v is asked for %d", b[i], seq)
				}
			}
			for seq := range gone {
				if seq > b[i].Floor {
					t.Fatalf("%v could supply %d", b[i], seq)
				}
			}
			if !maps.Equal(spansOf(back.Offer, i), want) || !maps.Equal(spansOf(back.Owed, i), gone) {
				t.Fatalf("two sides disagree:\n%+v\n%+v", d, back)
			}
		}
		if da, db := a.Digests(), b.Digests(); d.Equal() != (da.Whole == db.Whole) {
			t.Fatalf("digests say %v:\n%v\n%v", da.Whole == db.Whole, a, b)
		} else if part := Compare(a.In(da.Differ(&db)), b.In(da.Differ(&db)), 0); CountOf(part.Want) != CountOf(d.Want) {
			t.Fatalf("the parts that differ lack something of the whole:\n%v\n%v", a, b)
		}
	}
}

func spansOf(ranges []Range, i Incarnation) model {
	m := model{}
	for _, r := range ranges {
		if r.Incarnation == i {
			m = m.union(modelOf(r.Spans))
		}
	}
	return m
}

func TestDigestsIgnoreWhatIsKept(t *testing.T) {
	a := Vector{inc(1): {Head: 5}, inc(70): {Head: 2, Above: Spans{{4, 6}}}}
	b := Vector{inc(1): {Head: 5, Floor: 3, Newest: start}, inc(70): a[inc(70)], inc(9): {Floor: 4}}
	if da, db := a.Digests(), b.Digests(); da != db {
		t.Error("floors, times and empty rows change digests")
	}
}

func TestPlanAsksOnceAndFindsGaps(t *testing.T) {
	r := seed.Rand(t)
	for range 2000 {
		mine, peers := randomVector(r), []Vector{randomVector(r), randomVector(r), randomVector(r)}
		plan := NewPlan(mine, peers, 0)
		for i := range mine.Merge(peers[0]).Merge(peers[1]).Merge(peers[2]) {
			known, can, asked := model{}, model{}, model{}
			for p, v := range peers {
				known = known.union(modelOf(v[i].Known()))
				can = can.union(modelOf(v[i].Known().Above(v[i].Floor)))
				fetch := spansOf(plan.Fetch[p], i)
				if len(asked.union(fetch)) != len(asked)+len(fetch) {
					t.Fatalf("asked twice: %v", plan)
				}
				asked = asked.union(fetch)
			}
			lacked := known.minus(modelOf(mine[i].Known()))
			if !maps.Equal(spansOf(plan.Gap, i), lacked.minus(can)) || !maps.Equal(asked, lacked.minus(lacked.minus(can))) {
				t.Fatalf("plan %v for %v of %v", plan, mine, peers)
			}
		}
	}
}
