package httpcache

import (
	"testing"
	"time"
)

// TestFreshnessGiven holds what a response says of its own freshness. A zero
// want is a response that is stale on arrival.
func TestFreshnessGiven(t *testing.T) {
	const hour = time.Hour
	for _, c := range []struct {
		name  string
		lines []string
		want  time.Duration
	}{
		{"max-age", []string{"Cache-Control: max-age=3600"}, hour},
		{"name in any case", []string{"cache-control: MaX-aGe=3600"}, hour},
		{"on the second line", []string{"Cache-Control: public", "Cache-Control: max-age=3600"}, hour},
		{"behind an extension", []string{`Cache-Control: x, y="a, no-store, b", max-age=3600`}, hour},
		{"not inside a quoted string", []string{`Cache-Control: x="max-age=3600", max-age=60`}, time.Minute},
		{"behind a quoted string with an escaped quote", []string{`Cache-Control: x="a\", max-age=1", max-age=60`}, time.Minute},
		{"quoted number", []string{`Cache-Control: max-age="3600"`}, hour},
		{"leading zeros", []string{"Cache-Control: max-age=003600"}, hour},
		{"single quotes", []string{"Cache-Control: max-age='3600'"}, 0},
		{"decimal", []string{"Cache-Control: max-age=3600.0"}, 0},
		{"plus sign", []string{"Cache-Control: max-age=+3600"}, 0},
		{"minus sign", []string{"Cache-Control: max-age=-3600"}, 0},
		{"letters before", []string{"Cache-Control: max-age=a3600"}, 0},
		{"letters after", []string{"Cache-Control: max-age=3600a"}, 0},
		{"no value", []string{"Cache-Control: max-age"}, 0},
		{"empty value", []string{"Cache-Control: max-age="}, 0},
		{"space before =", []string{"Cache-Control: max-age =3600"}, 0},
		{"space after =", []string{"Cache-Control: max-age= 3600"}, 0},
		{"quote left open", []string{`Cache-Control: max-age="3600`}, 0},
		{"2^31", []string{"Cache-Control: max-age=2147483648"}, maxSeconds * time.Second},
		{"overflow is clamped", []string{"Cache-Control: max-age=99999999999999999999"}, maxSeconds * time.Second},
		{"twice the same", []string{"Cache-Control: max-age=3600", "Cache-Control: max-age=3600"}, hour},
		{"conflict", []string{"Cache-Control: max-age=3600, max-age=60"}, 0},
		{"conflict of a valid with an invalid", []string{"Cache-Control: max-age=x, max-age=0"}, 0},
		{"s-maxage over max-age", []string{"Cache-Control: max-age=1, s-maxage=3600"}, hour},
		{"invalid s-maxage is not replaced by max-age", []string{"Cache-Control: max-age=3600, s-maxage=x"}, 0},
		{"max-age over Expires", []string{"Cache-Control: max-age=3600", "Expires: " + date(-hour)}, hour},
		{"max-age=0 over Expires", []string{"Cache-Control: max-age=0", "Expires: " + date(hour)}, 0},
		{"no-cache over max-age", []string{"Cache-Control: no-cache, max-age=3600"}, 0},
		{"Pragma means nothing on responses", []string{"Cache-Control: max-age=3600", "Pragma: no-cache"}, hour},
		{"Age", []string{"Cache-Control: max-age=3600", "Age: 3000"}, 10 * time.Minute},
		{"Date in the past is age", []string{"Cache-Control: max-age=3600", "Date: " + date(-10*time.Minute)}, 50 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := got(200, append(c.lines, `ETag: "a"`)...)
			wantFresh(t, Store(x, &Policy{DefaultKeep: time.Hour}), c.want)
		})
	}
}

func TestExpires(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  time.Duration
	}{
		{"counts from Date, not from our clock", []string{"Date: " + date(time.Hour), "Expires: " + date(90*time.Minute)}, 30 * time.Minute},
		{"counts from arrival where there is no Date", []string{"Expires: " + date(time.Minute)}, time.Minute},
		{"RFC 850", []string{"Expires: Sunday, 06-Nov-94 08:50:37 GMT"}, time.Minute},
		{"asctime", []string{"Expires: Sun Nov  6 08:50:37 1994"}, time.Minute},
		{"0", []string{"Expires: 0"}, 0},
		{"empty", []string{"Expires:"}, 0},
		{"past", []string{"Expires: " + date(-time.Hour)}, 0},
		{"UTC", []string{"Expires: Thu, 18 Aug 2050 02:01:18 UTC"}, 0},
		{"two differ", []string{"Expires: " + date(time.Hour), "Expires: " + date(time.Minute)}, 0},
		{"two are the same", []string{"Expires: " + date(time.Hour), "Expires: " + date(time.Hour)}, time.Hour},
		{"far future is clamped", []string{"Expires: Fri, 31 Dec 9999 23:59:59 GMT"}, maxSeconds * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Store(got(200, append(c.lines, `ETag: "a"`)...), &Policy{DefaultKeep: time.Hour})
			wantFresh(t, s, c.want)
			if !s.Explicit {
				t.Error("not explicit")
			}
		})
	}
}

// TestTargetedControl holds RFC 9213 and the precedence of the three fields.
func TestTargetedControl(t *testing.T) {
	const hour = time.Hour
	for _, c := range []struct {
		name  string
		lines []string
		want  time.Duration
	}{
		{"alone", []string{"CDN-Cache-Control: max-age=3600"}, hour},
		{"over Cache-Control", []string{"CDN-Cache-Control: max-age=3600", "Cache-Control: max-age=1"}, hour},
		{"under Cache-Control's number too", []string{"CDN-Cache-Control: max-age=60", "Cache-Control: max-age=3600"}, time.Minute},
		{"over no-store", []string{"CDN-Cache-Control: max-age=3600", "Cache-Control: no-store"}, hour},
		{"over private", []string{"CDN-Cache-Control: max-age=3600", "Cache-Control: private"}, hour},
		{"over Expires", []string{"CDN-Cache-Control: max-age=3600", "Expires: 0"}, hour},
		{"over Surrogate-Control", []string{"CDN-Cache-Control: max-age=3600", "Surrogate-Control: max-age=60"}, hour},
		{"with parameters and extensions", []string{"CDN-Cache-Control: foo;a=1, max-age=3600;b"}, hour},
		{"several lines", []string{"CDN-Cache-Control: foo", "CDN-Cache-Control: max-age=3600"}, hour},
		{"the last of one key counts", []string{"CDN-Cache-Control: max-age=1, max-age=3600"}, hour},
		{"clamped", []string{"CDN-Cache-Control: max-age=99999999999"}, maxSeconds * time.Second},
		{"uppercase key discards it", []string{"CDN-Cache-Control: MaX-aGe=3600", "Cache-Control: max-age=60"}, time.Minute},
		{"bad syntax discards it", []string{"CDN-Cache-Control: max-age=3600, &&&&", "Cache-Control: max-age=60"}, time.Minute},
		{"space before = discards it", []string{"CDN-Cache-Control: max-age =3600", "Cache-Control: max-age=60"}, time.Minute},
		{"empty counts as absent", []string{"CDN-Cache-Control:", "Cache-Control: max-age=60"}, time.Minute},
		{"number as string", []string{`CDN-Cache-Control: max-age="3600"`, "Cache-Control: max-age=60"}, 0},
		{"number as decimal", []string{"CDN-Cache-Control: max-age=3600.0", "Cache-Control: max-age=60"}, 0},
		{"negative", []string{"CDN-Cache-Control: max-age=-1", "Cache-Control: max-age=60"}, 0},
		{"no-cache", []string{"CDN-Cache-Control: no-cache", "Cache-Control: max-age=60"}, 0},
		{"Surrogate-Control over Cache-Control", []string{"Surrogate-Control: max-age=3600", "Cache-Control: max-age=1"}, hour},
		{"Surrogate-Control over no-store", []string{"Surrogate-Control: max-age=3600", "Cache-Control: no-store"}, hour},
		{"Surrogate-Control over Expires", []string{"Surrogate-Control: max-age=3600", "Expires: 0"}, hour},
		{"Surrogate-Control without caching directives", []string{`Surrogate-Control: content="ESI/1.0"`, "Cache-Control: max-age=60"}, time.Minute},
		{"Surrogate-Control for another surrogate", []string{"Surrogate-Control: max-age=3600;abc", "Cache-Control: max-age=60"}, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := got(200, append(c.lines, `ETag: "a"`)...)
			wantFresh(t, Store(x, &Policy{DefaultKeep: time.Hour}), c.want)
		})
	}
	t.Run("no-store", func(t *testing.T) {
		x := got(200, "CDN-Cache-Control: no-store", "Cache-Control: max-age=60")
		wantRefused(t, Store(x, &Policy{}), ReasonNoStore)
	})
	t.Run("private", func(t *testing.T) {
		x := got(200, "CDN-Cache-Control: private", "Cache-Control: max-age=60")
		wantRefused(t, Store(x, &Policy{}), ReasonPrivate)
	})
	t.Run("Surrogate-Control no-store", func(t *testing.T) {
		x := got(200, "Surrogate-Control: no-store", "Cache-Control: max-age=60")
		wantRefused(t, Store(x, &Policy{}), ReasonNoStore)
	})
	t.Run("Surrogate-Control does not lift private", func(t *testing.T) {
		x := got(200, "Surrogate-Control: max-age=3600", "Cache-Control: private")
		wantRefused(t, Store(x, &Policy{}), ReasonPrivate)
	})
	t.Run("Surrogate-Control extension", func(t *testing.T) {
		s := Store(got(200, "Surrogate-Control: max-age=3600+600"), &Policy{})
		wantFresh(t, s, hour)
		if d := time.Duration(s.Times.SWR - s.Times.Fresh); d != 10*time.Minute || s.Times.SIE != s.Times.SWR {
			t.Errorf("usable stale for %v", d)
		}
	})
	t.Run("CDN-Cache-Control is passed on, Surrogate-Control is not", func(t *testing.T) {
		s := Store(got(200, "Date: "+t0Date, "CDN-Cache-Control: max-age=60"), &Policy{})
		wantFields(t, s.Fields, "Date: "+t0Date, "CDN-Cache-Control: max-age=60")
		if HidesField(nil, "CDN-Cache-Control") || !HidesField(nil, "surrogate-control") {
			t.Error("the wrong field is hidden")
		}
	})
}

func TestFreshnessAssumed(t *testing.T) {
	changed := "Last-Modified: " + date(-100*time.Minute)
	for _, c := range []struct {
		name   string
		x      Exchange
		policy Policy
		want   time.Duration
	}{
		{"a tenth of the time since the last change", got(200, changed), Policy{}, 10 * time.Minute},
		{"counted from Date", got(200, changed, "Date: "+date(-50*time.Minute)), Policy{DefaultKeep: time.Hour}, -45 * time.Minute},
		{"a day at most", got(200, "Last-Modified: Sun, 06 Nov 1988 08:49:37 GMT"), Policy{}, 24 * time.Hour},
		{"default_ttl goes before the heuristic", got(200, changed), Policy{DefaultTTL: time.Minute}, time.Minute},
		{"default_ttl without Last-Modified", got(404), Policy{DefaultTTL: time.Minute}, time.Minute},
		{"negative_ttl goes before default_ttl", got(404), Policy{DefaultTTL: time.Minute, NegativeTTL: map[int]time.Duration{404: time.Second}}, time.Second},
		{"negative_ttl for a status without heuristics", got(302), Policy{NegativeTTL: map[int]time.Duration{302: time.Second}}, time.Second},
		{"negative_ttl for an error", got(503), Policy{NegativeTTL: map[int]time.Duration{503: time.Second}}, time.Second},
		{"public permits heuristics", got(302, "Cache-Control: public", changed), Policy{}, 10 * time.Minute},
		{"an explicit time goes before all", got(404, "Cache-Control: max-age=5"), Policy{DefaultTTL: time.Minute, NegativeTTL: map[int]time.Duration{404: time.Hour}}, 5 * time.Second},
		{"max_ttl caps what is given", got(200, "Cache-Control: max-age=3600"), Policy{MaxTTL: time.Minute}, time.Minute},
		{"max_ttl caps what is assumed", got(200, changed), Policy{MaxTTL: time.Minute}, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) { wantFresh(t, Store(c.x, &c.policy), c.want) })
	}
	for _, status := range []int{200, 203, 204, 300, 301, 308, 404, 405, 410, 414} {
		if s := Store(got(status, changed), &Policy{}); !s.Store || s.Explicit {
			t.Errorf("%d is not stored by heuristic: %v", status, s.Reason)
		}
	}
	for _, status := range []int{201, 202, 299, 302, 303, 307, 400, 403, 499, 500, 501, 503, 599} {
		wantRefused(t, Store(got(status, changed), &Policy{DefaultTTL: time.Hour}), ReasonNoFreshness)
	}
	wantRefused(t, Store(got(503, changed, "Cache-Control: public"), &Policy{DefaultTTL: time.Hour}), ReasonNoFreshness)
	wantRefused(t, Store(got(200), &Policy{DefaultSWR: time.Hour, DefaultSIE: time.Hour}), ReasonNoFreshness)
}

func TestAge(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		delay time.Duration // until the head arrived at t0
		want  time.Duration // age at t0
	}{
		{"none", nil, 0, 0},
		{"Age", []string{"Age: 100"}, 0, 100 * time.Second},
		{"the response delay counts", nil, 3 * time.Second, 3 * time.Second},
		{"Age and the response delay count", []string{"Age: 100"}, 3 * time.Second, 103 * time.Second},
		{"Date counts", []string{"Date: " + date(-200*time.Second)}, 0, 200 * time.Second},
		{"the greater counts", []string{"Date: " + date(-200*time.Second), "Age: 100"}, 3 * time.Second, 200 * time.Second},
		{"a Date ahead is not negative", []string{"Date: " + date(time.Hour)}, 0, 0},
		{"an invalid Date does not count", []string{"Date: yesterday"}, 0, 0},
		{"first member", []string{"Age: 100, 0"}, 0, 100 * time.Second},
		{"first member, though less", []string{"Age: 0,100"}, 0, 0},
		{"first line", []string{"Age: 100", "Age: 0"}, 0, 100 * time.Second},
		{"letters", []string{"Age: abc"}, 0, 0},
		{"negative", []string{"Age: -100"}, 0, 0},
		{"decimal", []string{"Age: 100.0"}, 0, 0},
		{"clamped", []string{"Age: 99999999999999"}, 0, maxSeconds * time.Second},
		{"a clock that went back", nil, -time.Hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := got(200, append(c.lines, "Cache-Control: max-age=4294967296, stale-while-revalidate=1", `ETag: "a"`)...)
			x.RequestTime = t0 - int64(c.delay)
			s := Store(x, &Policy{DefaultKeep: time.Hour})
			if age := time.Duration(t0 - s.Born); !s.Store || age != c.want {
				t.Errorf("age is %v, want %v (%v)", age, c.want, s.Reason)
			}
			if s.Fields.Has("Age") {
				t.Error("Age is stored")
			}
		})
	}
}

func TestStaleWindows(t *testing.T) {
	def := Policy{DefaultSWR: 10 * time.Second, DefaultSIE: 20 * time.Second, DefaultKeep: 30 * time.Second}
	for _, c := range []struct {
		name       string
		control    string
		swr, sie   time.Duration
		revalidate bool
	}{
		{"by policy", "max-age=60", 10 * time.Second, 20 * time.Second, false},
		{"by the response", "max-age=60, stale-while-revalidate=1, stale-if-error=2", time.Second, 2 * time.Second, false},
		{"none by the response", "max-age=60, stale-while-revalidate=0, stale-if-error=0", 0, 0, false},
		{"invalid in the response", "max-age=60, stale-while-revalidate=x, stale-if-error", 0, 0, false},
		{"must-revalidate", "max-age=60, must-revalidate, stale-while-revalidate=1, stale-if-error=2", 0, 0, true},
		{"proxy-revalidate", "max-age=60, proxy-revalidate, stale-if-error=2", 0, 0, true},
		{"s-maxage implies proxy-revalidate", "s-maxage=60", 0, 0, true},
		{"s-maxage with an opt-in", "s-maxage=60, stale-while-revalidate=1", time.Second, 0, true},
		{"no-cache", "no-cache, stale-while-revalidate=1, stale-if-error=2", 0, 0, true},
		{"stale on arrival", "max-age=0", 0, 0, false},
		{"stale on arrival with an opt-in", "max-age=0, stale-while-revalidate=5", 5 * time.Second, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Store(got(200, "Cache-Control: "+c.control, `ETag: "a"`), &def)
			swr, sie := time.Duration(s.Times.SWR-s.Times.Fresh), time.Duration(s.Times.SIE-s.Times.Fresh)
			if !s.Store || swr != c.swr || sie != c.sie || s.MustRevalidate != c.revalidate {
				t.Errorf("stored %v, swr %v, sie %v, must revalidate %v", s.Store, swr, sie, s.MustRevalidate)
			}
			if s.Times.Keep != max(s.Times.SWR, s.Times.SIE)+int64(30*time.Second) {
				t.Errorf("kept for %v behind", time.Duration(s.Times.Keep-s.Times.Fresh))
			}
		})
	}
	t.Run("nothing is kept without a validator", func(t *testing.T) {
		s := Store(got(200, "Cache-Control: max-age=60"), &def)
		if s.Times.Keep != s.Times.SIE {
			t.Errorf("kept for %v behind", time.Duration(s.Times.Keep-s.Times.Fresh))
		}
	})
}
