package edge

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/shield"
)

// TestLogNamesAllThatIsNew compares a Log with a list of everything, on random
// histories: what a shield must know is either named, or confirmed, or the shield is
// told that it has to catch up to a position past it.
func TestLogNamesAllThatIsNew(t *testing.T) {
	for range 200 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 1))
		var l Log
		var all []applied // of service a, since the last loss of everything
		at, confirmed := field.Position(r.IntN(3)), field.Position(0)
		l.Everything(at)
		floor := at
		seqs := map[journal.Incarnation]uint64{}
		for step := range 60 {
			for range r.IntN(1 << r.IntN(9)) {
				at++
				inc := journal.Incarnation{byte(1 + r.IntN(1+r.IntN(100)))}
				seqs[inc] += uint64(1 + r.IntN(3))
				id := journal.ID{Incarnation: inc, Seq: seqs[inc]}
				if r.IntN(4) == 0 {
					l.Purge("b", at, id)
					continue
				}
				l.Purge("a", at, id)
				all = append(all, applied{at, id})
			}
			if r.IntN(30) == 0 {
				at++
				l.Everything(at)
				floor, all = at, nil
			}
			since, upTo, entries, based := l.since("a", confirmed)
			if since > upTo || based && since > confirmed && since > floor {
				t.Fatalf("seed %d, step %d: since %d, at %d, confirmed %d", seed, step, since, upTo, confirmed)
			}
			if based && confirmed < since {
				t.Fatalf("seed %d, step %d: based on %d, and only %d is confirmed", seed, step, since, confirmed)
			}
			spans := 0
			for _, part := range entries {
				spans += len(part.Spans)
			}
			if spans > shield.MaxSpans {
				t.Fatalf("seed %d, step %d: %d spans", seed, step, spans)
			}
			for _, one := range all {
				if one.at > since && !names(entries, one.id) {
					t.Fatalf("seed %d, step %d: purge at %d is not named; since %d, at %d", seed, step, one.at, since, upTo)
				}
				if one.at > upTo {
					t.Fatalf("seed %d, step %d: purge at %d is past %d", seed, step, one.at, upTo)
				}
			}
			if r.IntN(2) == 0 {
				confirmed = upTo
			}
		}
	}
}

func names(entries []journal.Range, id journal.ID) bool {
	for _, part := range entries {
		if part.Incarnation == id.Incarnation && part.Spans.Has(id.Seq) {
			return true
		}
	}
	return false
}

// TestRanking spreads URLs over members, and moves only those of one that goes.
func TestRanking(t *testing.T) {
	members := []Member{{Name: "fra1-a"}, {Name: "fra1-b"}, {Name: "fra1-c"}}
	count := map[string]int{}
	for i := range 3000 {
		target := field.Target{Scheme: "https", Host: "www.example.com", Path: fmt.Sprintf("/%d", i)}
		all := ranked(members, "shop", target)
		count[all[0].Name]++
		less := ranked(members[:2], "shop", target)
		if all[0].Name != "fra1-c" && less[0] != all[0] {
			t.Fatalf("%v moved from %v to %v, and fra1-c has gone", target, all[0], less[0])
		}
	}
	for name, n := range count {
		if n < 850 || n > 1150 {
			t.Errorf("%s gets %d of 3000", name, n)
		}
	}
}

func BenchmarkSince(b *testing.B) {
	for _, n := range []int{0, 10, 1000} {
		b.Run(fmt.Sprint(n, " new"), func(b *testing.B) {
			var l Log
			for i := range n {
				l.Purge("s", field.Position(i+1), journal.ID{Incarnation: journal.Incarnation{byte(i % 7)}, Seq: uint64(i)})
			}
			b.ReportAllocs()
			for b.Loop() {
				l.since("s", 0)
			}
		})
	}
}
