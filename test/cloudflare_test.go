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

// cloudflare purges by the npm package of that name, and returns what it
// resolved to, or what it failed with.
func (n *node) cloudflare(parameters map[string]any, env ...string) (data map[string]string, failure string) {
	n.t.Helper()
	text, err := json.Marshal(parameters)
	if err != nil {
		n.t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.Command("node", "clients/cloudflare.js", string(text))
	cmd.Env = append(append(os.Environ(), "ADMIN="+n.admin), env...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if exitCode(n.t, cmd.Run()) != 0 {
		return nil, errs.String()
	}
	if err := json.Unmarshal(out.Bytes(), &data); err != nil {
		n.t.Fatalf("it gave %q: %v", out.String(), err)
	}
	return data, ""
}

func TestPackageCloudflare(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	n := startNode(t, settings{
		origin: origin.url(),
		top:    `tokens: [{name: npm, value: "npm-token", scopes: [purge_select, purge_all], services: [shop]}]`,
	})
	page := "https://" + host + "/products/1.html"
	for _, c := range []struct {
		name       string
		parameters map[string]any
		env        []string
	}{
		{"everything", map[string]any{"zone_id": "shop", "purge_everything": true}, nil},
		{"files", map[string]any{"zone_id": "shop", "files": []string{page}}, nil},
		{"files of a variant", map[string]any{"zone_id": "shop", "files": []any{map[string]any{"url": page, "headers": map[string]string{"CF-Device-Type": "mobile"}}}}, nil},
		{"tags", map[string]any{"zone_id": "shop", "tags": []string{"product-1"}}, nil},
		{"hosts", map[string]any{"zone_id": "shop", "hosts": []string{host}}, nil},
		{"prefixes", map[string]any{"zone_id": "shop", "prefixes": []string{host + "/products"}}, nil},
		{"tags of a zone by its name", map[string]any{"zone_name": host, "tags": []string{"product-1"}}, nil},
		{"tags by key and address", map[string]any{"zone_id": "shop", "tags": []string{"product-1"}}, []string{"EMAIL=npm@example.com"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin.write("/products/1.html", c.name+" old")
			n.purge(api.Purge{Service: "shop", All: true}) // what the case before left
			n.get("/products/1.html")
			expect(t, "before", n.get("/products/1.html"), "200 HIT "+c.name+" old")
			origin.write("/products/1.html", c.name+" new")
			data, failure := n.cloudflare(c.parameters, append(c.env, "TOKEN=npm-token")...)
			if failure != "" || data["id"] != "shop" {
				t.Fatalf("the call gave %v, failed with %q", data, failure)
			}
			expect(t, "after", n.get("/products/1.html"), "200 MISS "+c.name+" new")
		})
	}
	if _, failure := n.cloudflare(map[string]any{"zone_id": "shop", "tags": []string{"a"}}, "TOKEN=wrong"); !strings.HasPrefix(failure, `AuthenticationError 401 [{"code":10000`) {
		t.Errorf("with a wrong token: %s", failure)
	}
	if _, failure := n.cloudflare(map[string]any{"zone_id": "nobody", "tags": []string{"a"}}, "TOKEN=npm-token"); !strings.Contains(failure, " 403 ") {
		t.Errorf("a zone of nobody's: %s", failure)
	}
}
