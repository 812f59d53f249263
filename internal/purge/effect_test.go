package purge

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

func newRand(t *testing.T) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// at makes times from seconds: fresh for so long, then the windows.
func at(fresh, swr, sie, keep int64) field.Times {
	s := int64(time.Second)
	return field.Times{Fresh: fresh * s, SWR: (fresh + swr) * s, SIE: (fresh + sie) * s, Keep: (fresh + max(swr, sie) + keep) * s}
}

func TestSoftEffectsBoundTimes(t *testing.T) {
	const s = time.Second
	own := at(100, 30, 60, 500)
	for _, c := range []struct {
		what string
		e    Effect
		want field.Times
	}{
		{"a plain one: stale at once, the windows follow", Effect{Mode: Soft, Grace: -1, Keep: -1, At: 10 * int64(s)}, at(10, 30, 60, 500)},
		{"after the natural end it changes nothing", Effect{Mode: Soft, Grace: -1, Keep: -1, At: 110 * int64(s)}, own},
		{"a ttl leaves it fresh for a while", Effect{Mode: Soft, TTL: 20 * s, Grace: -1, Keep: -1, At: 10 * int64(s)}, at(30, 30, 60, 500)},
		{"a ttl beyond its own", Effect{Mode: Soft, TTL: 200 * s, Grace: -1, Keep: -1, At: 10 * int64(s)}, own},
		{"a grace bounds both windows", Effect{Mode: Soft, Grace: 40 * s, Keep: -1, At: 10 * int64(s)}, at(10, 30, 40, 500)},
		{"no grace", Effect{Mode: Soft, Grace: 0, Keep: -1, At: 10 * int64(s)}, at(10, 0, 0, 500)},
		{"a greater grace gives nothing", Effect{Mode: Soft, Grace: 90 * s, Keep: -1, At: 10 * int64(s)}, at(10, 30, 60, 500)},
		{"a keep", Effect{Mode: Soft, Grace: -1, Keep: 7 * s, At: 10 * int64(s)}, at(10, 30, 60, 7)},
		{"nothing but a ttl", Effect{Mode: Soft, TTL: s, Grace: 0, Keep: 0, At: 10 * int64(s)}, at(11, 0, 0, 0)},
		{"windows are bounded although freshness is not", Effect{Mode: Soft, TTL: 200 * s, Grace: 5 * s, Keep: 5 * s, At: 0}, at(100, 5, 5, 5)},
		{"a ttl without end", Effect{Mode: Soft, TTL: math.MaxInt64, Grace: -1, Keep: -1, At: 10 * int64(s)}, own},
		{"hard", Effect{At: 10 * int64(s)}, field.Times{}},
	} {
		if got := c.e.Normal().Bound(own); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.what, got, c.want)
		}
	}
}

func TestNormalEffects(t *testing.T) {
	for _, c := range []struct{ in, want Effect }{
		{Effect{}, Effect{}},
		{Effect{TTL: 5, Grace: 6, Keep: -7, At: 8}, Effect{At: 8}},
		{Effect{Mode: Soft}, Effect{}}, // (0, 0, 0) is hard
		{Effect{Mode: Soft, TTL: -5, At: 3}, Effect{At: 3}},
		{Effect{Mode: Soft, Grace: -9, Keep: -2}, SoftEffect()},
		{Effect{Mode: Soft, TTL: 1}, Effect{Mode: Soft, TTL: 1}},
		{Effect{Mode: Soft, Grace: 1}, Effect{Mode: Soft, Grace: 1}},
		{SoftEffect(), SoftEffect()},
	} {
		got := c.in.Normal()
		if got != c.want || got.Normal() != got {
			t.Errorf("%+v is normally %+v, want %+v", c.in, got, c.want)
		}
	}
	if Hard.String() != "hard" || Soft.String() != "soft" {
		t.Error("modes have no names")
	}
}

func someTimes(rng *rand.Rand) field.Times {
	d := func() int64 { return rng.Int64N(100) * rng.Int64N(2) }
	own := field.Times{Fresh: 1000 + rng.Int64N(200)}
	own.SWR, own.SIE = own.Fresh+d(), own.Fresh+d()
	own.Keep = max(own.SWR, own.SIE) + d()
	if rng.IntN(50) == 0 {
		return field.Times{Fresh: math.MaxInt64, SWR: math.MaxInt64, SIE: math.MaxInt64, Keep: math.MaxInt64}
	}
	return own
}

func someEffect(rng *rand.Rand) Effect {
	d := func() time.Duration { return time.Duration(rng.Int64N(150) - 50) }
	e := Effect{Mode: Soft, TTL: d(), Grace: d(), Keep: d(), At: 900 + rng.Int64N(300)}
	if rng.IntN(10) == 0 {
		e.Mode = Hard
	}
	if rng.IntN(10) == 0 {
		e.TTL = math.MaxInt64
	}
	return e.Normal()
}

// earlier tells whether no instant of a is later than b's.
func earlier(a, b field.Times) bool { return a.Min(b) == a }

func ordered(t field.Times) bool {
	return t.Fresh <= t.SWR && t.Fresh <= t.SIE && max(t.SWR, t.SIE) <= t.Keep
}

// TestBoundsNeverLengthen holds that a soft purge takes and never gives, how
// often and in what order it may come, on times already bounded or not.
func TestBoundsNeverLengthen(t *testing.T) {
	rng := newRand(t)
	for range 50_000 {
		own, a, b := someTimes(rng), someEffect(rng), someEffect(rng)
		once := a.Bound(own)
		if !earlier(once, own) || !ordered(once) {
			t.Fatalf("%+v makes %+v of %+v", a, once, own)
		}
		if twice := a.Bound(once); twice != once {
			t.Fatalf("%+v twice makes %+v of %+v, once %+v", a, twice, own, once)
		}
		again := a
		again.At += rng.Int64N(100)
		if both := once.Min(again.Bound(own)); both != once {
			t.Fatalf("%+v, repeated later, changes %+v to %+v", a, once, both)
		}
		merged := strictest(a, b)
		if got := merged.Bound(own); !earlier(got, once) || !earlier(got, b.Bound(own)) {
			t.Fatalf("%+v merged with %+v is %+v, which leaves %+v of %+v", a, b, merged, got, own)
		}
		if strictest(b, a) != merged || strictest(merged, a) != merged && merged.Mode == Soft || merged.Normal() != merged {
			t.Fatalf("%+v merged with %+v is %+v, and not always", a, b, merged)
		}
	}
}

func TestEffectsBeginNoLaterThanHere(t *testing.T) {
	soft := SoftEffect()
	for _, c := range []struct{ issued, now, want int64 }{{0, 50, 50}, {40, 50, 40}, {60, 50, 50}} {
		soft.At = c.issued
		if got := effectAt(soft, c.now).At; got != c.want {
			t.Errorf("issued at %d, applied at %d: begins at %d", c.issued, c.now, got)
		}
	}
}
