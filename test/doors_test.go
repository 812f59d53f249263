//go:build e2e

package test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestCurlSpeaksVarnish sends what recipes for Varnish have in their comments.
func TestCurlSpeaksVarnish(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	n := startNode(t, settings{origin: origin.url(), service: "purge: {dialect: varnish, refresh: true}"})
	for _, c := range []struct {
		name, path, answer string
		args               []string
	}{
		{"PURGE", "/products/1.html", "Purged 1 objects, expired 0 objects", []string{"--request", "PURGE"}},
		{"BAN of tags", "/", "Purged 2 names, expired 0 names", []string{"--request", "BAN", "--header", "X-Cache-Tags: (^|,)(product-1|product-2)(,|$)"}},
		{"BAN by an expression", "/", "Purged 1 names, expired 0 names", []string{"--request", "BAN", "--header", `X-Url: \.html$`}},
		{"PURGEKEYS", "/", "Purged 1 names, expired 0 names", []string{"--request", "PURGEKEYS", "--header", "xkey-purge: product-1"}},
		{"Magento", "/", "Purged 1 names, expired 0 names", []string{"--request", "PURGE", "--header", "X-Magento-Tags-Pattern: ((^|,)product-1(,|$))"}},
		{"refresh", "/products/1.html", "refresh", []string{"--header", "Cache-Control: no-cache"}},
	} {
		origin.write("/products/1.html", "old")
		n.get("/products/1.html", "--header", "Cache-Control: no-cache")
		expect(t, c.name+", before", n.get("/products/1.html"), "200 HIT old")
		origin.write("/products/1.html", c.name)
		if got := n.get(c.path, c.args...); got.status != 200 || strings.TrimSpace(string(got.body)) != c.answer {
			t.Fatalf("%s: %v", c.name, got)
		}
		if c.name == "refresh" {
			expect(t, c.name, n.get("/products/1.html"), "200 HIT "+c.name)
			continue
		}
		expect(t, c.name, n.get("/products/1.html"), "200 MISS "+c.name)
	}
	if got := n.get("/", "--request", "PURGE", "--header", "X-Forwarded-For: 127.0.0.1"); got.status != 405 {
		t.Errorf("for somebody else: %v", got)
	}
}

// TestCurlSpeaksStackPath is a deploy script: a token, a purge, its progress.
func TestCurlSpeaksStackPath(t *testing.T) {
	t.Parallel()
	origin := startNginx(t)
	n := startNode(t, settings{
		origin: origin.url(),
		top:    `tokens: [{name: deploy, value: "deploy-token", scopes: [purge_select, purge_all], services: [shop]}]`,
	})
	call := func(path, body string, args ...string) (answer map[string]any) {
		t.Helper()
		args = append(args, "--header", "Content-Type: application/json", "http://"+n.admin+path)
		if body != "" {
			args = append(args, "--data-raw", body)
		}
		got, code, complaint := curl(t, args...)
		if code != 0 || got.status != 200 || json.Unmarshal(got.body, &answer) != nil {
			t.Fatalf("%s: %v, %d %s", path, got, code, complaint)
		}
		return answer
	}
	origin.write("/products/1.html", "old")
	n.get("/products/1.html")
	expect(t, "before", n.get("/products/1.html"), "200 HIT old")
	origin.write("/products/1.html", "new")
	token := call("/identity/v1/oauth2/token", `{"grant_type":"client_credentials","client_id":"deploy","client_secret":"deploy-token"}`)["access_token"].(string)
	bearer := []string{"--header", "Authorization: bearer " + token}
	id := call("/cdn/v1/stacks/shop/purge", `{"items":[{"url":"//`+host+`/products/","recursive":true,"purgeSelector":[{"selectorName":"(?i)surrogate-key","selectorValue":"*product-1*","selectorType":"HEADER"}]}]}`, bearer...)["id"].(string)
	if progress := call("/cdn/v1/stacks/shop/purge/"+id, "", bearer...)["progress"]; progress != 1.0 {
		t.Errorf("progress is %v", progress)
	}
	expect(t, "after", n.get("/products/1.html"), "200 MISS new")
}
