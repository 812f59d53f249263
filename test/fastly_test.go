//go:build e2e

package test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/api"
)

// purgeAPI calls a function of the npm package's PurgeApi against the node, and
// returns what it resolved to, or what it failed with.
func (n *node) purgeAPI(function string, options map[string]any, token string) (data map[string]string, failure string) {
	n.t.Helper()
	text, err := json.Marshal(options)
	if err != nil {
		n.t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.Command("node", "--require", "./clients/redirect.js", "clients/purge.js", function, string(text))
	cmd.Env = append(os.Environ(), "ADMIN="+n.admin, "TOKEN="+token)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if exitCode(n.t, cmd.Run()) != 0 {
		return nil, errs.String()
	}
	if err := json.Unmarshal(out.Bytes(), &data); err != nil {
		n.t.Fatalf("%s gave %q: %v", function, out.String(), err)
	}
	return data, ""
}

func TestPackageFastly(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	n := startNode(t, settings{
		origin: origin.url(),
		top:    `tokens: [{name: npm, value: "npm-token", scopes: [purge_select, purge_all], services: [shop]}]`,
	})
	const softly = true
	for _, c := range []struct {
		name     string
		function string
		options  map[string]any
		ids      []string // members of the answer that hold an id
		soft     bool
	}{
		{"purgeTag", "purgeTag", map[string]any{"service_id": "shop", "surrogate_key": "product-1"}, []string{"id"}, false},
		{"purgeTag, soft", "purgeTag", map[string]any{"service_id": "shop", "surrogate_key": "product-1", "fastly_soft_purge": 1}, []string{"id"}, softly},
		{"bulkPurgeTag by a field", "bulkPurgeTag", map[string]any{"service_id": "shop", "surrogate_key": "product-1 product-9"}, []string{"product-1", "product-9"}, false},
		{"bulkPurgeTag by a body", "bulkPurgeTag", map[string]any{
			"service_id": "shop", "purge_response": map[string]any{"surrogate_keys": []string{"product-1", "product-9"}},
		}, []string{"product-1", "product-9"}, false},
		{"purgeAll", "purgeAll", map[string]any{"service_id": "shop"}, nil, false},
		{"purgeSingleUrl", "purgeSingleUrl", map[string]any{"cached_url": host + "/products/1.html"}, []string{"id"}, false},
		{"purgeSingleUrl, soft", "purgeSingleUrl", map[string]any{"cached_url": host + "/products/1.html", "fastly_soft_purge": 1}, []string{"id"}, softly},
	} {
		t.Run(c.name, func(t *testing.T) {
			n.purge(api.Purge{Service: "shop", All: true}) // what the case before left
			origin.write("/products/1.html", "old")
			n.get("/products/1.html")
			expect(t, "before", n.get("/products/1.html"), "200 HIT old")
			origin.write("/products/1.html", "new")

			data, failure := n.purgeAPI(c.function, c.options, "npm-token")
			if failure != "" {
				t.Fatalf("the call failed: %s", failure)
			}
			for _, member := range c.ids {
				if len(data[member]) != 26 {
					t.Errorf("%s is %q in %v", member, data[member], data)
				}
			}
			if c.ids == nil && data["status"] != "ok" {
				t.Errorf("got %v", data)
			}
			if c.soft {
				expect(t, "at once", n.get("/products/1.html"), "200 HIT old")
				eventually(t, "the new page", func() bool { return n.get("/products/1.html").String() == "200 HIT new" })
				return
			}
			expect(t, "after", n.get("/products/1.html"), "200 MISS new")
		})
	}
}

// The package sends a token in any case, so it needs one that is known.
func TestPackageFastlyWithAWrongToken(t *testing.T) {
	t.Parallel()
	n := startNode(t, settings{origin: "http://127.0.0.1:9"})
	options := map[string]any{"service_id": "shop", "surrogate_key": "product-1"}
	if _, failure := n.purgeAPI("purgeTag", options, "wrong"); !strings.Contains(failure, `401 {"msg":"Provided credentials are missing or invalid"}`) {
		t.Errorf("got %q", failure)
	}
}
