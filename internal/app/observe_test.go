package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/api"
)

// explainOf asks the node to explain a URL.
func (n *node) explainOf(url string) api.Explanation {
	n.t.Helper()
	resp, body := n.do("GET", "", "/v1/explain?url="+url+"&header=Accept-Language:en", "")
	var e api.Explanation
	if err := json.Unmarshal([]byte(body), &e); resp.StatusCode != 200 || err != nil {
		n.t.Fatalf("%d %s: %v", resp.StatusCode, body, err)
	}
	return e
}

func hints(e api.Explanation) string {
	var codes []string
	for _, h := range e.Hints {
		codes = append(codes, string(h.Code))
	}
	return strings.Join(codes, " ")
}

func TestExplainFollowsAPage(t *testing.T) {
	n := startNode(t, "")
	const url = "http://shop.example/a"
	if e := n.explainOf("http://other.example/"); e.Outcome != api.WouldRefuse || hints(e) != "no_service" {
		t.Errorf("an unknown host: %s, hints %s", e.Outcome, hints(e))
	}
	if e := n.explainOf(url); e.Outcome != api.WouldMiss || e.Reason != "uri-miss" || len(e.Variants) != 0 {
		t.Errorf("nothing stored: %+v", e)
	}
	n.want("/a", "en", "MISS", "en 1")
	n.want("/a", "en", "HIT", "en 1")
	e := n.explainOf(url)
	if e.Outcome != api.WouldHit || !e.Cached || len(e.Variants) != 1 || e.Variants[0].State != api.VariantFresh ||
		e.Variants[0].Hits != 1 || e.Variants[0].Variant != "accept-language: en" || e.Variants[0].Keys[0] != "k" || e.LastMiss == nil {
		t.Errorf("stored: %+v", e)
	}
	n.do("POST", "", "/service/shop/purge/K", "")
	if e := n.explainOf(url); !strings.Contains(hints(e), "key_case") {
		t.Errorf("purged in capitals, hints %s", hints(e))
	}
	n.do("POST", "", "/service/shop/purge/k", "")
	e = n.explainOf(url)
	if e.Outcome != api.WouldMiss || e.Reason != "purged" || e.Variants[0].State != api.VariantRevertible ||
		e.LastPurge == nil || e.LastPurge.Selector.Value != "k" || e.LastPurge.Actor != "local" {
		t.Errorf("purged: %+v, last purge %+v", e, e.LastPurge)
	}
	if resp, body := n.do("POST", "", "/v1/purges/"+e.LastPurge.ID+"/revert", ""); resp.StatusCode != 200 {
		t.Fatal(body)
	}
	if e := n.explainOf(url); e.Outcome != api.WouldHit || !strings.Contains(hints(e), "reverted") {
		t.Errorf("taken back: %s, hints %s", e.Outcome, hints(e))
	}
	if e := n.explainOf("https://shop.example/a"); !strings.Contains(hints(e), "another_scheme") {
		t.Errorf("under the other scheme, hints %s", hints(e))
	}
}

func TestWhatHappensIsRecorded(t *testing.T) {
	dir := t.TempDir()
	access, purges := filepath.Join(dir, "access.log"), filepath.Join(dir, "purge.log")
	t.Run("node", func(t *testing.T) {
		n := startNode(t, fmt.Sprintf("access_log: [{format: '%%s %%{Rescind:outcome}x %%U', to: 'file:%s'}]\npurge_log: [{to: 'file:%s'}]\n", access, purges))
		n.want("/a", "en", "MISS", "en 1")
		n.want("/a", "en", "HIT", "en 1")
		n.do("GET", "nowhere.example", "/b", "")
		n.do("POST", "", "/service/shop/purge/k", "")
		_, text := n.do("GET", "", "/metrics", "")
		for _, want := range []string{
			`rescind_requests_total{outcome="hit",service="shop",status="2xx"} 1`, `rescind_requests_total{outcome="miss",service="shop",status="2xx"} 1`,
			`rescind_store_objects 1`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("/metrics lacks %s", want)
			}
		}
		var top api.Top
		_, text = n.do("GET", "", "/v1/top", "")
		if err := json.Unmarshal([]byte(text), &top); err != nil || top.Node != "n1" {
			t.Errorf("top: %v %s", err, text)
		}
	})
	for file, want := range map[string][]string{
		access: {"200 miss /a", "200 hit /a", "421 error /b"},
		purges: {`"event":"purge"`, `"value":"k"`, `"actor":"local"`},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range want {
			if !strings.Contains(string(text), line) {
				t.Errorf("%s lacks %s:\n%s", filepath.Base(file), line, text)
			}
		}
	}
}

func TestErrorPage(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "502.html")
	if err := os.WriteFile(page, []byte("<p>{{status}} {{reason}} {{request_id}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := startNode(t, "  - {id: down, domains: [down.example], origins: [{url: 'http://127.0.0.1:1'}], error_pages: {502: "+page+"}}\n")
	resp, body := n.do("GET", "down.example", "/down", "")
	if resp.StatusCode != http.StatusBadGateway || !strings.HasPrefix(body, "<p>502 Bad Gateway ") || len(body) < 30 ||
		!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %v %q", resp.StatusCode, resp.Header, body)
	}
}
