package httpcache

import (
	"testing"
	"time"

	"github.com/dunglas/httpsfv"
)

func TestAppendCacheStatus(t *testing.T) {
	for _, c := range []struct {
		node string
		s    CacheStatus
		want string
	}{
		{"rescind-a", CacheStatus{Hit: true, TTL: 30*time.Second + 1, HasTTL: true}, "rescind-a; hit; ttl=30"},
		{"a", CacheStatus{Hit: true, Fwd: FwdStale, Stored: true}, "a; hit"},
		{"a", CacheStatus{Hit: true, TTL: -1, HasTTL: true}, "a; hit; ttl=-1"},
		{"a", CacheStatus{Hit: true, TTL: -2 * time.Second, HasTTL: true, Detail: "stale"}, "a; hit; ttl=-2; detail=stale"},
		{"a", CacheStatus{Fwd: FwdURIMiss, FwdStatus: 200, Stored: true, Collapsed: true}, "a; fwd=uri-miss; fwd-status=200; stored; collapsed"},
		{"a", CacheStatus{Fwd: FwdMiss, Detail: "purged"}, "a; fwd=miss; detail=purged"},
		{"a", CacheStatus{Fwd: FwdBypass, Key: `x"y\`, Detail: "no reason at all"}, `a; fwd=bypass; key="x\"y\\"; detail="no reason at all"`},
		{"a", CacheStatus{Fwd: FwdMethod, Key: "ä", Detail: "a\nb"}, "a; fwd=method"},
		{"fra 1", CacheStatus{Detail: "9"}, `"fra 1"; detail="9"`},
		{"ä\n", CacheStatus{}, `"___"`},
		{"", CacheStatus{}, `""`},
	} {
		got := string(AppendCacheStatus(nil, c.node, c.s))
		if got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
		if _, err := httpsfv.UnmarshalList([]string{got}); err != nil {
			t.Errorf("%s is no structured field: %v", got, err)
		}
	}
	if got := string(AppendCacheStatus([]byte("origin; hit, "), "a", CacheStatus{Hit: true})); got != "origin; hit, a; hit" {
		t.Errorf("appended to what was there: %s", got)
	}
}

// TestNames checks that every outcome has a name of its own, fit for
// Cache-Status, metrics and logs.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for r := ReasonNone + 1; r < reasons; r++ {
		if name := r.String(); !isToken(name) || seen[name] {
			t.Errorf("reason %d is called %q", r, name)
		}
		seen[r.String()] = true
	}
	for f := FwdBypass; f <= FwdPartial; f++ {
		if name := f.String(); !isToken(name) || seen["fwd "+name] {
			t.Errorf("fwd %d is called %q", f, name)
		}
		seen["fwd "+f.String()] = true
	}
	for _, got := range []string{reasons.String(), Verdict(99).String(), Condition(99).String(), RangeKind(99).String()} {
		if got != "unknown" {
			t.Errorf("what does not exist is called %q", got)
		}
	}
}
