package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestCacheGroups has an origin that answers POST with the groups that it
// changed.
func TestCacheGroups(t *testing.T) {
	for setting, want := range map[string]string{"true": "MISS", "false": "HIT"} {
		var asked atomic.Int64
		origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=600")
			w.Header().Set("Cache-Groups", `"articles", "list"`)
			w.Header().Set("Cache-Group-Invalidation", `"articles"`)
			if r.URL.Path == "/fails" {
				w.WriteHeader(http.StatusInternalServerError)
			}
			fmt.Fprint(w, asked.Add(1))
		}))
		defer origin.Close()
		n := startNode(t, fmt.Sprintf(`  - id: groups
    domains: [groups.example, other.example]
    origins: [{url: %q}]
    cache: {groups: %s}
`, origin.URL, setting))
		get := func(host, path string) string {
			resp, _ := n.ask("GET", host, path, "", "")
			return resp.Header.Get("X-Cache")
		}
		for _, path := range []string{"/", "/fails"} {
			get("groups.example", "/a")
			get("other.example", "/a")
			if got := get("groups.example", "/a"); got != "HIT" {
				t.Fatalf("groups: %s: before: %s", setting, got) // a safe method invalidates nothing
			}
			n.ask("POST", "groups.example", path, "", "x")
			if got := get("groups.example", "/a"); got != want {
				t.Errorf("groups: %s: after POST %s: %s, want %s", setting, path, got, want)
			}
			if got := get("other.example", "/a"); got != "HIT" {
				t.Errorf("groups: %s: another origin: %s", setting, got)
			}
		}
	}
}
