//go:build e2e

package test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rescind-edge/rescind/api"
)

// What happens to a cluster must never show through a shield either: the first
// member is the shield of all others.
func TestClusterKeepsPromisesThroughAShield(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		keepsPromisesOf(t, l, false, fmt.Sprintf("    purge: {limits: off}\n    shield: {pop: p%d}\n", l.nextHost()))
	})
}

// TestAShieldIsAskedOnce has all members ask for the same pages at once, and then
// purges at one edge after the other.
func TestAShieldIsAskedOnce(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		origin := startVersions(t)
		var asked atomic.Int64
		origin.seen = func() { asked.Add(1) }
		members := l.startCluster(4, clusterSettings{
			origin: origin.url, secret: clusterSecret, service: fmt.Sprintf("    shield: {pop: p%d}\n", l.nextHost()),
		})
		get := func(m *member, page int) string {
			r, _ := http.NewRequestWithContext(t.Context(), "GET", m.site()+pagePath(page), nil)
			r.Host = "shop.example"
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return ""
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			return string(body) + " " + resp.Header.Get("X-Cache")
		}
		through := func() bool {
			for _, m := range members[1:] {
				// What came straight from the origin at first is not to stay.
				if _, err := m.client.Purge(t.Context(), api.Purge{Service: "shop", All: true}); err != nil {
					t.Fatal(err)
				}
				for page := range 8 {
					get(m, page)
				}
				st, err := m.client.Status(t.Context())
				if err != nil || st.Services[0].Shield == nil || st.Services[0].Shield.Through == 0 {
					return false
				}
			}
			return true
		}
		// detours are requests that a busy machine kept from what the shield has: it did
		// not know in time what the edge knew, or did not answer in time.
		detours := func() (n uint64) {
			for _, m := range members[1:] {
				st, err := m.client.Status(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				n += st.Services[0].Shield.Behind + st.Services[0].Shield.Past
			}
			return n
		}
		eventually(t, "each page is asked for once, unless some edge could not go by the shield", func() bool {
			eventually(t, "edges go through the shield, which knows what they know", through)
			before, detoursBefore := asked.Load(), detours()
			var all sync.WaitGroup
			for page := 8; page < pageCount; page++ {
				for _, m := range members[1:] {
					all.Go(func() { get(m, page) })
				}
			}
			all.Wait()
			n := asked.Load() - before
			if n == pageCount-8 {
				return true
			}
			disturbed := detours() - detoursBefore
			if disturbed == 0 {
				t.Fatalf("the origin was asked %d times for %d pages", n, pageCount-8)
			}
			t.Logf("disturbed: the origin was asked %d times for %d pages, with %d detours", n, pageCount-8, disturbed)
			return false
		})
		for i := range 60 {
			m, page := members[1+i%3], i%pageCount
			version := origin.change(page)
			if _, err := m.client.Purge(t.Context(), api.Purge{Service: "shop", Keys: []string{pageKey(page)}}); err != nil {
				t.Fatal(err)
			}
			if got := get(m, page); !strings.HasPrefix(got, fmt.Sprint(version, " ")) {
				t.Fatalf("round %d: %s answers %q after it had confirmed the purge of all before version %d", i, m.name, got, version)
			}
		}
	})
}
