package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestKeysThatDoNotFit has more keys than one header may hold, and then a second
// header for the rest.
func TestKeysThatDoNotFit(t *testing.T) {
	var keys []string
	for i := range 2000 {
		keys = append(keys, fmt.Sprintf("product-%04d", i))
	}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=600")
		if r.URL.Path == "/one" {
			w.Header().Set("Surrogate-Key", strings.Join(keys, " "))
			io.WriteString(w, "page") // once a client has the end of a body, it is stored
			return
		}
		w.Header().Set("Surrogate-Key", strings.Join(keys[:1000], " "))
		w.Header().Set("X-More-Keys", strings.Join(keys[1000:], " "))
		io.WriteString(w, "page")
	}))
	defer origin.Close()
	n := startNode(t, fmt.Sprintf(`  - id: tags
    domains: [tags.example]
    origins: [{url: %q}]
    purge: {tag_headers: [Surrogate-Key, X-More-Keys]}
`, origin.URL))
	for path, want := range map[string]struct {
		ignored int
		last    string // after a purge by the last key
	}{"/one": {2000 - 16384/13, "HIT"}, "/two": {0, "MISS"}} {
		n.ask("GET", "tags.example", path, "", "")
		e := n.explainOf("http://tags.example" + path)
		if len(e.Variants) != 1 || e.Variants[0].KeysIgnored != want.ignored || strings.Contains(hints(e), "keys_ignored") != (want.ignored > 0) {
			t.Errorf("%s: %d ignored, hints %s", path, e.Variants[0].KeysIgnored, hints(e))
		}
		n.ask("POST", "", "/service/tags/purge/product-1999", "", "")
		resp, _ := n.ask("GET", "tags.example", path, "", "")
		if got := resp.Header.Get("X-Cache"); got != want.last {
			t.Errorf("%s: %s after a purge by the last key", path, got)
		}
		for _, name := range []string{"Surrogate-Key", "X-More-Keys"} {
			if resp.Header.Get(name) != "" {
				t.Errorf("%s: clients see %s", path, name)
			}
		}
	}
}
