package httpcache

import (
	"testing"
	"time"
)

func TestRefused(t *testing.T) {
	fresh := "Cache-Control: max-age=60"
	with := func(x Exchange, change func(*Exchange)) Exchange { change(&x); return x }
	asked := func(lines ...string) func(*Exchange) {
		return func(x *Exchange) { x.Request = head(lines...) }
	}
	for _, c := range []struct {
		name     string
		x        Exchange
		policy   Policy
		want     Reason
		remember bool
	}{
		{"POST", with(got(200, fresh), func(x *Exchange) { x.Method = "POST" }), Policy{}, ReasonMethod, false},
		{"HEAD is not stored as GET", with(got(200, fresh), func(x *Exchange) { x.Method = "HEAD" }), Policy{}, ReasonMethod, false},
		{"interim", got(103, fresh), Policy{}, ReasonStatus, false},
		{"206", got(206, fresh), Policy{}, ReasonStatus, false},
		{"304", got(304, fresh), Policy{}, ReasonStatus, false},
		{"412", got(412, fresh), Policy{}, ReasonStatus, false},
		{"416", got(416, fresh), Policy{}, ReasonStatus, false},
		{"no status code", got(600, fresh), Policy{}, ReasonStatus, false},
		{"ambiguous length", with(got(200, fresh), func(x *Exchange) { x.AmbiguousLength = true }), Policy{StoreCloseDelimited: true}, ReasonFraming, true},
		{"close-delimited", with(got(200, fresh), func(x *Exchange) { x.CloseDelimited = true }), Policy{}, ReasonCloseDelimited, true},
		{"no-store", got(200, fresh+", no-store"), Policy{}, ReasonNoStore, true},
		{"no-store behind a quote left open", got(200, `Cache-Control: max-age=60, x="a, no-store`), Policy{}, ReasonNoStore, true},
		{"no-store behind a quote left open on the line before", got(200, `Cache-Control: max-age=60, x="a`, "Cache-Control: no-store"), Policy{}, ReasonNoStore, true},
		{"private", got(200, fresh+", private"), Policy{}, ReasonPrivate, true},
		{"private without valid names", got(200, fresh+`, private="a b"`), Policy{}, ReasonPrivate, true},
		{"private with no names", got(200, fresh+`, private=""`), Policy{}, ReasonPrivate, true},
		{"private both ways", got(200, fresh+`, private, private="X"`), Policy{}, ReasonPrivate, true},
		{"must-understand without understanding", got(299, fresh+", must-understand"), Policy{}, ReasonNotUnderstood, true},
		{"authorised", with(got(200, fresh), asked("Authorization: x")), Policy{}, ReasonAuthorization, false},
		{"Vary: *", got(200, fresh, "Vary: *"), Policy{}, ReasonVaryStar, true},
		{"Vary with * among others", got(200, fresh, "Vary: a", "Vary: b, *"), Policy{}, ReasonVaryStar, true},
		{"Set-Cookie", got(200, fresh, "Set-Cookie: a=b"), Policy{}, ReasonSetCookie, true},
		{"request no-store obeyed", with(got(200, fresh), asked("Cache-Control: no-store")), Policy{RequestDirectives: DirectivesObey}, ReasonRequestNoStore, false},
		{"nothing to go by", got(200), Policy{}, ReasonNoFreshness, true},
		{"an ETag alone gives no freshness", got(200, `ETag: "a"`), Policy{}, ReasonNoFreshness, true},
		{"no-cache without a validator", got(200, "Cache-Control: no-cache"), Policy{DefaultKeep: time.Hour}, ReasonNoCache, true},
		{"stale on arrival", got(200, fresh, "Age: 60"), Policy{}, ReasonExpired, true},
		{"errors do not stop collapsing", got(503), Policy{}, ReasonNoFreshness, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Store(c.x, &c.policy)
			wantRefused(t, s, c.want)
			if remembered := s.HitForMiss > 0; remembered != c.remember {
				t.Errorf("remembered for %v", s.HitForMiss)
			}
			if s.Born != 0 || s.Times.Keep != 0 {
				t.Error("it has a life although it is not stored")
			}
		})
	}
}

func TestStored(t *testing.T) {
	fresh := "Cache-Control: max-age=60"
	for _, c := range []struct {
		name   string
		x      Exchange
		policy Policy
	}{
		{"close-delimited where configured", Exchange{CloseDelimited: true, Response: head(fresh)}, Policy{StoreCloseDelimited: true}},
		{"must-understand overrides no-store for a known status", Exchange{Response: head(fresh + ", must-understand, no-store")}, Policy{}},
		{"authorised with public", Exchange{Request: head("Authorization: x"), Response: head(fresh + ", public")}, Policy{}},
		{"authorised with s-maxage", Exchange{Request: head("Authorization: x"), Response: head("Cache-Control: s-maxage=60")}, Policy{}},
		{"authorised with must-revalidate", Exchange{Request: head("Authorization: x"), Response: head(fresh + ", must-revalidate")}, Policy{}},
		{"request no-store ignored", Exchange{Request: head("Cache-Control: no-store"), Response: head(fresh)}, Policy{}},
		{"Set-Cookie that is not shared", Exchange{Response: head(fresh+`, no-cache="Set-Cookie"`, "Set-Cookie: a=b")}, Policy{}},
		{"Set-Cookie stripped", Exchange{Response: head(fresh, "Set-Cookie: a=b")}, Policy{SetCookie: SetCookieStrip}},
		{"Set-Cookie stored", Exchange{Response: head(fresh, "Set-Cookie: a=b")}, Policy{SetCookie: SetCookieStore}},
		{"no-cache with a validator", Exchange{Response: head("Cache-Control: no-cache", `ETag: "a"`)}, Policy{DefaultKeep: time.Hour}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.x.Method, c.x.Status, c.x.RequestTime, c.x.ResponseTime = "GET", 200, t0, t0
			s := Store(c.x, &c.policy)
			if !s.Store || s.Reason != ReasonStored {
				t.Fatalf("not stored: %v", s.Reason)
			}
			if want := c.policy.SetCookie == SetCookieStore; s.Fields.Has("Set-Cookie") != want {
				t.Errorf("has Set-Cookie: %v", !want)
			}
		})
	}
	for _, status := range []int{200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599} {
		s := Store(got(status, fresh), &Policy{})
		if !s.Store || !s.Explicit {
			t.Errorf("%d with explicit freshness is not stored: %v", status, s.Reason)
		}
	}
}

func TestStoredFields(t *testing.T) {
	s := Store(got(200,
		"Cache-Control: max-age=60, private=\"X-User, x-session\", no-cache=X-Token",
		"Connection: close, X-Hop", "Keep-Alive: 1", "Proxy-Connection: x", "Proxy-Authenticate: x",
		"Proxy-Authentication-Info: x", "Proxy-Authorization: x", "TE: x", "Trailer: x",
		"Transfer-Encoding: chunked", "Upgrade: x", "x-hop: 1",
		"x-user: a", "X-Session: b", "X-Token: c", "Age: 5", "Surrogate-Key: k", "Content-Type: text/plain",
	), &Policy{})
	wantFields(t, s.Fields,
		`Cache-Control: max-age=60, private="X-User, x-session", no-cache=X-Token`,
		"Surrogate-Key: k", "Content-Type: text/plain", "Date: "+t0Date)

	s = Store(got(200, "Date: tomorrow", "Cache-Control: max-age=60"), &Policy{})
	wantFields(t, s.Fields, "Date: "+t0Date, "Cache-Control: max-age=60")

	t.Run("what is not stored keeps all that is the requester's", func(t *testing.T) {
		s := Store(got(200, "Cache-Control: private", "Set-Cookie: a=b", "Age: 5", "Upgrade: x"), &Policy{SetCookie: SetCookieStrip})
		wantFields(t, s.Fields, "Cache-Control: private", "Set-Cookie: a=b", "Age: 5")
	})
	t.Run("the response is left as it was", func(t *testing.T) {
		x := got(200, "Cache-Control: max-age=60", "Age: 5", "X-A: 1")
		Store(x, &Policy{})
		wantFields(t, x.Response, "Cache-Control: max-age=60", "Age: 5", "X-A: 1")
	})
}

func TestHitForMiss(t *testing.T) {
	x := got(200, "Cache-Control: private", "Vary: a")
	x.Request = head("A: 1")
	for _, c := range []struct{ policy, want time.Duration }{
		{0, DefaultHitForMiss}, {time.Second, time.Second}, {-1, 0},
	} {
		s := Store(x, &Policy{HitForMiss: c.policy})
		if s.HitForMiss != c.want {
			t.Errorf("policy %v gives %v", c.policy, s.HitForMiss)
		}
		if !VariantMatches(s.Variant, head("A: 1")) || VariantMatches(s.Variant, head("A: 2")) {
			t.Error("it is remembered for other variants")
		}
	}
}

func TestImmutable(t *testing.T) {
	for control, want := range map[string]bool{"max-age=60, immutable": true, "max-age=60": false} {
		if s := Store(got(200, "Cache-Control: "+control), &Policy{}); !s.Store || s.Immutable != want {
			t.Errorf("%s: stored %v, immutable %v", control, s.Store, s.Immutable)
		}
	}
}

// TestRefresh follows a response through a 304.
func TestRefresh(t *testing.T) {
	p := &Policy{DefaultKeep: time.Hour}
	first := Store(got(200, "Surrogate-Control: max-age=60", "Cache-Control: no-store", `ETag: "a"`, "Surrogate-Key: k", "X: old"), p)
	wantFresh(t, first, time.Minute)
	// An hour later, the origin confirms without repeating what is not in RFC
	// 9110 section 15.4.5, and without a Date.
	not := head("Cache-Control: no-store", `ETag: "a"`, "X: new", "Content-Length: 0", "Content-Encoding: br")
	if !MatchesStored(first.Fields, not) {
		t.Fatal("the 304 is taken to be about another response")
	}
	x := Exchange{
		Method: "GET", Request: head(), Response: Merge(first.Fields, not), Status: 200,
		RequestTime: t0 + int64(time.Hour), ResponseTime: t0 + int64(time.Hour),
	}
	second := Store(x, p)
	wantFresh(t, second, 61*time.Minute)
	wantFields(t, second.Fields, "Surrogate-Control: max-age=60", "Surrogate-Key: k",
		"Cache-Control: no-store", `ETag: "a"`, "X: new", "Date: "+date(time.Hour))
}
