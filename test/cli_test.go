//go:build e2e

package test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/api"
)

func TestCommandPurges(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	n := startNode(t, settings{origin: origin.url()})
	pages := []string{"/products/1.html", "/products/2.html", "/products/3.html", "/about.html"}
	keys := filepath.Join(t.TempDir(), "keys")
	writeFile(t, keys, "product-1\n\n  product-3  \n")
	for _, c := range []struct {
		args  []string
		stdin string
		gone  string // a letter for each page
		says  string
	}{
		{args: []string{"--service", "shop", "--key", "product-1", "--key", "product-2"}, gone: "yynn", says: "key product-1, key product-2"},
		{args: []string{"--service", "shop", "--file", keys}, gone: "ynyn", says: "key product-1, key product-3"},
		{args: []string{"--service", "shop", "--file", "-"}, stdin: "product-2", gone: "nynn", says: "key product-2"},
		{args: []string{"--url", host + "/about.html"}, gone: "nnny", says: "url //" + host + "/about.html"},
		{args: []string{"--path", host + "/products", "--key", "pages"}, gone: "yyyy", says: "key pages, path"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			for _, page := range pages {
				origin.write(page, page)
				n.get(page)
			}
			got := runBinary(t, c.stdin, append([]string{"purge", "--address", "http://" + n.admin}, c.args...)...).done(t)
			if !strings.Contains(got, c.says) {
				t.Errorf("it does not say %q:\n%s", c.says, got)
			}
			gone := ""
			for _, page := range pages {
				gone += map[string]string{"HIT": "n", "MISS": "y"}[n.get(page).header.Get("X-Cache")]
			}
			if gone != c.gone {
				t.Errorf("purged of %v: %s, want %s", pages, gone, c.gone)
			}
		})
	}
}

func TestCommandReceiptsAndStatus(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	origin.write("/page.html", "content")
	n := startNode(t, settings{origin: origin.url()})
	n.get("/page.html")
	n.get("/page.html")

	var receipt api.Receipt
	decode(t, n.cli("purge", "--url", "http://"+host+"/page.html", "--note", "a typo", "--json").done(t), &receipt)
	if receipt.Count == nil || *receipt.Count != 1 || receipt.Mode != api.Hard || receipt.Service != "shop" || receipt.Note != "a typo" {
		t.Errorf("the receipt is %+v", receipt)
	}
	second := purgedID(t, n.cli("purge", "--service", "shop", "--key", "x", "--soft", "--ttl", "1m", "--json").done(t))

	var list []api.Receipt
	decode(t, n.cli("purges", "--json").done(t), &list)
	if len(list) != 2 || list[0].ID != second || list[1].ID != receipt.ID {
		t.Errorf("the list, newest first, is %+v", list)
	}
	decode(t, n.cli("purges", "--limit", "1", "--json").done(t), &list)
	if len(list) != 1 || list[0].ID != second {
		t.Errorf("a list of one is %+v", list)
	}
	if text := n.cli("purges", receipt.ID).done(t); !strings.Contains(text, receipt.ID) || strings.Contains(text, second) {
		t.Errorf("one purge is shown as:\n%s", text)
	}

	var status api.Status
	decode(t, n.cli("status", "--json").done(t), &status)
	if status.Node != "e2e" || status.POP != "test" || status.Version == "" {
		t.Errorf("the node says it is %q of %q, %q", status.Node, status.POP, status.Version)
	}
	if s := status.Traffic; s.Requests != 2 || s.Hits != 1 || s.Misses != 1 || s.OriginRequests != 1 {
		t.Errorf("traffic: %+v", s)
	}
	if status.Purges.Applied != 2 || len(status.Services) != 1 || !status.Services[0].Origins[0].Healthy {
		t.Errorf("purges %+v, services %+v", status.Purges, status.Services)
	}
	if text := n.cli("status").done(t); !strings.Contains(text, "2 requests: 1 hits") || !strings.Contains(text, origin.url()+" healthy") {
		t.Errorf("status for people:\n%s", text)
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func TestCommandFailures(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	n := startNode(t, settings{
		origin: origin.url(), service: "purge: {require_token: true}\n",
		top: `tokens: [{name: deploy, value: "right-token", scopes: [purge_select], services: [shop]}]`,
	})
	for _, c := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"a right token", []string{"purge", "--key", "a", "--token", "right-token"}, 0, nil},
		{"a wrong token", []string{"purge", "--key", "a", "--token", "wrong"}, 1, []string{"credentials", "--token"}},
		{"no token", []string{"purge", "--service", "shop", "--key", "a"}, 1, []string{"--token"}},
		{"a token that may not", []string{"purge", "--all", "--token", "right-token"}, 1, []string{"purge_all", "use a token with that scope"}},
		{"an unknown service", []string{"purge", "--service", "show", "--key", "a", "--token", "right-token"}, 1, []string{"show"}},
		{"nothing to purge", []string{"purge"}, 2, []string{"--url", "--help"}},
		{"an unknown flag", []string{"purge", "--kye", "a"}, 2, []string{"--kye", "--help"}},
		{"ttl without soft", []string{"purge", "--key", "a", "--ttl", "1m"}, 2, []string{"--soft"}},
		{"no such id", []string{"revert", "nonsense", "--token", "right-token"}, 1, []string{"not a purge id"}},
	} {
		got := n.cli(c.args...)
		if got.code != c.code {
			t.Errorf("%s: exit code %d: %s", c.name, got.code, got.err)
		}
		for _, text := range c.says {
			if !strings.Contains(got.err, text) {
				t.Errorf("%s: it does not say %q: %s", c.name, text, got.err)
			}
		}
	}
	if got := runBinary(t, "", "prge"); got.code != 2 || !strings.Contains(got.err, `did you mean "rescind purge"`) {
		t.Errorf("an unknown command: exit code %d: %s", got.code, got.err)
	}
	away := runBinary(t, "", "status", "--address", "http://127.0.0.1:1")
	if away.code != 1 || !strings.Contains(away.err, "Is the node running?") {
		t.Errorf("no node: exit code %d: %s", away.code, away.err)
	}
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeCertificate(t, dir)
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	writeFile(t, good, settings{origin: "http://127.0.0.1:9"}.file())
	writeFile(t, bad, settings{origin: "http://127.0.0.1:9", service: "cache: {default_tll: 1m}\n"}.file())
	if text := runBinary(t, "", "config", "check", good).done(t); !strings.Contains(text, "ok") {
		t.Errorf("a good file: %s", text)
	}
	for _, args := range [][]string{{"config", "check", bad}, {"serve", "--config", bad}} {
		got := runBinary(t, "", args...)
		if got.code != 1 || !strings.Contains(got.err, "default_tll") || !strings.Contains(got.err, "default_ttl") || !strings.Contains(got.err, "bad.yaml:12:") {
			t.Errorf("%v with a misspelt setting: exit code %d: %s", args, got.code, got.err)
		}
	}
}
