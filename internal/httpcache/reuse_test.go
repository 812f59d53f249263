package httpcache

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// standard was born at t0, is fresh for 60 s, usable stale for 30 s more while
// it is revalidated and 60 s more on errors, and kept for an hour.
func standard() Stored {
	at := func(s int) int64 { return t0 + int64(s)*int64(time.Second) }
	return Stored{
		Status: 200, Born: t0, HasValidator: true,
		Times: field.Times{Fresh: at(60), SWR: at(90), SIE: at(120), Keep: at(3600)},
	}
}

func TestDecide(t *testing.T) {
	type change = func(*Stored)
	noValidator := func(s *Stored) { s.HasValidator = false }
	untouched := func(s *Stored) { s.Untouched = true }
	immutable := func(s *Stored) { s.Immutable = true }
	strict := func(s *Stored) {
		s.MustRevalidate, s.Untouched = true, true
		s.Times.SWR, s.Times.SIE = s.Times.Fresh, s.Times.Fresh
	}
	for _, c := range []struct {
		name    string
		change  change
		age     int // in seconds
		request string
		verdict Verdict
		reason  Reason
	}{
		{"fresh", nil, 59, "", Fresh, ReasonFresh},
		{"no longer fresh", nil, 60, "", StaleWhileRevalidate, ReasonStale},
		{"end of SWR", nil, 90, "", Revalidate, ReasonStale},
		{"SWR over without a validator", noValidator, 90, "", Refetch, ReasonStale},
		{"end of keep", nil, 3600, "", Refetch, ReasonStale},
		{"strict", strict, 60, "", Revalidate, ReasonStale},

		{"no-cache", nil, 1, "no-cache", Revalidate, ReasonRequestNoCache},
		{"no-cache without a validator", noValidator, 1, "no-cache", Refetch, ReasonRequestNoCache},
		{"no-cache in SWR", nil, 61, "no-cache", Revalidate, ReasonRequestNoCache},
		{"max-age younger", nil, 9, "max-age=10", Fresh, ReasonFresh},
		{"max-age older", nil, 11, "max-age=10", Revalidate, ReasonRequestMaxAge},
		{"max-age=0", nil, 0, "max-age=0", Revalidate, ReasonRequestMaxAge},
		{"max-age wants no stale response", nil, 61, "max-age=100", Revalidate, ReasonRequestMaxAge},
		{"max-age with max-stale", nil, 61, "max-age=100, max-stale=5", StaleWhileRevalidate, ReasonStale},
		{"a reload of what is immutable", immutable, 1, "max-age=0", Fresh, ReasonFresh},
		{"a forced reload of what is immutable", immutable, 1, "no-cache", Revalidate, ReasonRequestNoCache},
		{"a reload of what was immutable", immutable, 61, "max-age=0", Revalidate, ReasonRequestMaxAge},
		{"min-fresh kept", nil, 49, "min-fresh=10", Fresh, ReasonFresh},
		{"min-fresh missed", nil, 51, "min-fresh=10", Revalidate, ReasonRequestMinFresh},
		{"min-fresh refuses stale", nil, 61, "min-fresh=0", Revalidate, ReasonRequestMinFresh},
		{"max-stale in the error window", nil, 100, "max-stale=50", StaleWhileRevalidate, ReasonRequestMaxStale},
		{"max-stale without a value", nil, 100, "max-stale", StaleWhileRevalidate, ReasonRequestMaxStale},
		{"max-stale too little", nil, 100, "max-stale=30", Revalidate, ReasonStale},
		{"max-stale past the windows", untouched, 200, "max-stale=600", StaleWhileRevalidate, ReasonRequestMaxStale},
		{"max-stale does not undo a purge", nil, 200, "max-stale=600", Revalidate, ReasonStale},
		{"max-stale does not undo must-revalidate", strict, 61, "max-stale=600", Revalidate, ReasonStale},
		{"only-if-cached, fresh", nil, 1, "only-if-cached", Fresh, ReasonFresh},
		{"only-if-cached in SWR", nil, 61, "only-if-cached", StaleWhileRevalidate, ReasonStale},
		{"only-if-cached, stale", nil, 100, "only-if-cached", OnlyIfCached, ReasonOnlyIfCached},
		{"only-if-cached and no-cache", nil, 1, "only-if-cached, no-cache", OnlyIfCached, ReasonOnlyIfCached},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := standard()
			if c.change != nil {
				c.change(&s)
			}
			r := ParseRequest(head("Cache-Control: " + c.request))
			now := t0 + int64(c.age)*int64(time.Second)
			u := Decide(s, r, &Policy{RequestDirectives: DirectivesObey}, now)
			if u.Verdict != c.verdict || u.Reason != c.reason {
				t.Errorf("obeying: %v, %q; want %v, %q", u.Verdict, u.Reason, c.verdict, c.reason)
			}
			if u.Age != time.Duration(c.age)*time.Second || u.TTL != time.Duration(60-c.age)*time.Second {
				t.Errorf("age %v, ttl %v", u.Age, u.TTL)
			}
			ignored := Decide(s, r, &Policy{}, now)
			if plain := Decide(s, RequestDirectives{}, &Policy{}, now); ignored != plain {
				t.Errorf("ignoring: %v, but without directives %v", ignored, plain)
			}
		})
	}
}

func TestOnlyIfCachedWithNothingStored(t *testing.T) {
	r := ParseRequest(head("Cache-Control: only-if-cached"))
	if !OnlyIfCachedAsked(r, &Policy{RequestDirectives: DirectivesObey}) || OnlyIfCachedAsked(r, &Policy{}) {
		t.Error("only-if-cached must count where directives are obeyed, and only there")
	}
}

func TestStaleIfError(t *testing.T) {
	obey := &Policy{RequestDirectives: DirectivesObey}
	for _, c := range []struct {
		name    string
		change  func(*Stored)
		age     int
		request string
		ignored bool
		obeyed  bool
	}{
		{"inside", nil, 119, "", true, true},
		{"outside", nil, 120, "", false, false},
		{"fresh, but to be validated", nil, 1, "max-age=0", true, true},
		{"no-cache", nil, 1, "no-cache", true, false},
		{"no-cache that accepts errors", nil, 1, "no-cache, stale-if-error=1", true, true},
		{"the request accepts more", func(s *Stored) { s.Untouched = true }, 200, "stale-if-error=200", false, true},
		{"but not as much", func(s *Stored) { s.Untouched = true }, 300, "stale-if-error=200", false, false},
		{"which does not undo a purge", nil, 200, "stale-if-error=200", false, false},
		{"nor must-revalidate", func(s *Stored) { s.Untouched, s.MustRevalidate = true, true }, 200, "stale-if-error=200", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := standard()
			if c.change != nil {
				c.change(&s)
			}
			r := ParseRequest(head("Cache-Control: " + c.request))
			now := t0 + int64(c.age)*int64(time.Second)
			if got := StaleIfError(s, r, &Policy{}, now); got != c.ignored {
				t.Errorf("ignoring directives: %v", got)
			}
			if got := StaleIfError(s, r, obey, now); got != c.obeyed {
				t.Errorf("obeying directives: %v", got)
			}
		})
	}
}

func TestParseRequest(t *testing.T) {
	sec := func(n int) Seconds { return Seconds{Given: true, Value: time.Duration(n) * time.Second} }
	for _, c := range []struct {
		name  string
		lines []string
		want  RequestDirectives
	}{
		{"none", nil, RequestDirectives{}},
		{"all", []string{"Cache-Control: no-cache, No-Store, ONLY-IF-CACHED", "cache-control: max-age=1, min-fresh=2, max-stale=3, stale-if-error=4"},
			RequestDirectives{NoCache: true, NoStore: true, OnlyIfCached: true, MaxAge: sec(1), MinFresh: sec(2), MaxStale: sec(3), StaleIfError: sec(4)}},
		{"the strictest", []string{"Cache-Control: max-age=5, max-age=3, min-fresh=1, min-fresh=2, max-stale, max-stale=7"},
			RequestDirectives{MaxAge: sec(3), MinFresh: sec(2), MaxStale: sec(7)}},
		{"the strictest in another order", []string{"Cache-Control: max-stale=7, max-stale"}, RequestDirectives{MaxStale: sec(7)}},
		{"invalid", []string{"Cache-Control: max-age=x, max-age, min-fresh=-1, max-stale=1.5"}, RequestDirectives{}},
		{"max-stale alone", []string{"Cache-Control: max-stale"}, RequestDirectives{MaxStale: sec(maxSeconds)}},
		{"Pragma", []string{"Pragma: x, no-cache"}, RequestDirectives{NoCache: true}},
		{"Pragma beside Cache-Control", []string{"Pragma: no-cache", "Cache-Control: max-age=1"}, RequestDirectives{MaxAge: sec(1)}},
		{"Pragma beside an empty Cache-Control", []string{"Pragma: no-cache", "Cache-Control:"}, RequestDirectives{}},
	} {
		if got := ParseRequest(head(c.lines...)); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestDecideHolds checks on random responses and requests what must hold of
// every decision.
func TestDecideHolds(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	seconds := func() Seconds {
		return Seconds{Given: r.IntN(3) == 0, Value: time.Duration(r.IntN(300)) * time.Second}
	}
	for range 200_000 {
		fresh := t0 + r.Int64N(100)*int64(time.Second)
		swr, sie := fresh+r.Int64N(100)*int64(time.Second), fresh+r.Int64N(100)*int64(time.Second)
		s := Stored{
			Born: t0 - r.Int64N(100)*int64(time.Second), MustRevalidate: r.IntN(2) == 0, Immutable: r.IntN(2) == 0,
			HasValidator: r.IntN(2) == 0, Untouched: r.IntN(2) == 0,
			Times: field.Times{Fresh: fresh, SWR: swr, SIE: sie, Keep: max(swr, sie) + r.Int64N(100)*int64(time.Second)},
		}
		if s.MustRevalidate {
			s.Times.SWR, s.Times.SIE = fresh, fresh
		}
		ask := RequestDirectives{
			NoCache: r.IntN(5) == 0, OnlyIfCached: r.IntN(5) == 0,
			MaxAge: seconds(), MinFresh: seconds(), MaxStale: seconds(), StaleIfError: seconds(),
		}
		p := &Policy{RequestDirectives: Directives(r.IntN(2))}
		now := t0 + r.Int64N(400)*int64(time.Second)
		u := Decide(s, ask, p, now)
		stale := now >= s.Times.Fresh
		usable := u.Verdict == Fresh || u.Verdict == StaleWhileRevalidate
		obeyed := p.RequestDirectives == DirectivesObey
		for rule, broken := range map[string]bool{
			"Fresh past its freshness":                      u.Verdict == Fresh && stale,
			"stale before its time":                         u.Verdict == StaleWhileRevalidate && !stale,
			"stale although that is forbidden":              usable && stale && s.MustRevalidate,
			"stale past SWR without max-stale obeyed":       usable && now >= s.Times.SWR && stale && !(obeyed && ask.MaxStale.Given),
			"stale past what a purge left":                  usable && stale && !s.Untouched && now >= max(s.Times.SWR, s.Times.SIE),
			"used past keep":                                usable && now >= s.Times.Keep && stale,
			"conditional without a validator":               u.Verdict == Revalidate && !s.HasValidator,
			"conditional past keep":                         u.Verdict == Revalidate && now >= s.Times.Keep,
			"no-cache obeyed and used":                      usable && obeyed && ask.NoCache,
			"504 unasked":                                   u.Verdict == OnlyIfCached && !(obeyed && ask.OnlyIfCached),
			"sent to the origin although it is not to be":   !usable && u.Verdict != OnlyIfCached && obeyed && ask.OnlyIfCached,
			"fresh and unasked for, but not used":           !usable && !stale && !obeyed,
			"no reason":                                     u.Reason == ReasonNone,
			"stale on error although that is forbidden":     StaleIfError(s, ask, p, now) && stale && s.MustRevalidate,
			"stale on error past what a purge left":         StaleIfError(s, ask, p, now) && !s.Untouched && now >= s.Times.SIE,
			"stale on error past its window without asking": StaleIfError(s, ask, p, now) && now >= s.Times.SIE && !(obeyed && ask.StaleIfError.Given),
		} {
			if broken {
				t.Fatalf("%s: %+v %+v obeyed=%v now=%v gives %+v", rule, s, ask, obeyed, time.Duration(now-t0), u)
			}
		}
	}
}
