package memory

import (
	"math/rand/v2"
	"testing"
)

// TestBucketsGrowByOne: from any number of buckets to any greater one, what was
// in a bucket is in those that step names, and each of those holds nothing else.
func TestBucketsGrowByOne(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		hash := rnd.Uint64()
		then := buckets{n: 1 + rnd.Uint32N(600)}
		now := buckets{n: then.n + rnd.Uint32N(2000)}
		was, is := then.index(hash), now.index(hash)
		if was >= then.n || is >= now.n {
			t.Fatalf("bucket %d of %d, %d of %d", was, then.n, is, now.n)
		}
		if is < was || (is-was)%step(was, then.n) != 0 {
			t.Fatalf("from bucket %d of %d to %d of %d, in steps of %d", was, then.n, is, now.n, step(was, then.n))
		}
		for at := range then.n {
			if at != was && is >= at && (is-at)%step(at, then.n) == 0 {
				t.Fatalf("bucket %d of %d is in the steps of %d and %d of %d", is, now.n, was, at, then.n)
			}
		}
		old, added := then.grow()
		if next := then.index(hash); next != was && (was != old || next != added) {
			t.Fatalf("from bucket %d to %d when %d was split into %d", was, next, old, added)
		}
	}
}

func TestJudgesAreNumbered(t *testing.T) {
	var j judges
	a, _ := j.add(state(1))
	b, _ := j.add(state(2))
	again, _ := j.add(state(1))
	if a == b || a != again || j.at(a) != state(1) || j.at(b) != state(2) {
		t.Fatalf("numbers %d, %d, %d", a, b, again)
	}
	j.drop(a)
	if j.at(a) != state(1) {
		t.Error("forgotten while an object has it")
	}
	j.drop(a)
	if c, _ := j.add(state(3)); c != a || j.at(c) != state(3) || j.at(b) != state(2) {
		t.Errorf("number %d is not used again", a)
	}
}
