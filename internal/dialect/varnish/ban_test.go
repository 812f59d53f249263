package varnish

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
)

// TestSelectors has what requests come down to, expressions that are no plain
// tags, paths or hosts among it.
func TestSelectors(t *testing.T) {
	for _, tc := range []struct{ request, want string }{
		{"BAN / HTTP/1.1\nX-Url: \\.png$", `ban req.url ~ \.png$`},
		{"BAN / HTTP/1.1\nX-Url: ^/a$", `ban req.url ~ ^/a$`},
		{"BAN / HTTP/1.1\nX-Url: ^/a/", `path /a/`},
		{"BAN / HTTP/1.1\nX-Host: ^(a.example|b\\.example)$\nX-Url: .*", `ban req.http.host ~ ^(a.example|b\.example)$`},
		{"BAN / HTTP/1.1\nX-Host: ^(a\\.example|b\\.example)$\nX-Url: ^/x$", `url //a.example/x | url //b.example/x`},
		{"BAN / HTTP/1.1\nX-Host: ^a\\.example$\nX-Url: ^/x/.*\nX-Content-Type: ^image/", `ban obj.http.Content-Type ~ ^image/ under path a.example/x/`},
		{"BAN / HTTP/1.1\nX-Host: .*\nX-Url: .*\nX-Content-Type: image/png", `ban obj.http.Content-Type ~ image/png`},
		{"BAN / HTTP/1.1\nX-Cache-Tags: post-.*", `ban obj.http.X-Cache-Tags ~ post-.*`},
		{"BAN / HTTP/1.1\nX-Url: ^/a/\nX-Cache-Tags: (a)(,|$)", `ban obj.http.X-Cache-Tags ~ (a)(,|$) under path /a/`},
		{"BAN / HTTP/1.1\nCache-Tags: node:1|node_list", `key node:1 | key node_list`},
		{"BAN / HTTP/1.1\nSurrogate-Key: node:1 node:2", `key node:1 | key node:2`},
		{"BAN /a/.*\\.css$ HTTP/1.1\nX: y", `ban req.url ~ ^/a/.*\.css$ under host www.example.com`},
		{"BAN / HTTP/1.1\nApiPlatform-Ban-Regex: books", `ban obj.http.Cache-Tags ~ books`},
		{"PURGE /blog HTTP/1.1\nX-Purge-Method: regex", `ban req.url ~ ^/blog under host www.example.com`},
		{"PURGE /a HTTP/1.1\nX-Pool: ^pool1$", `ban obj.http.X-Pool ~ ^pool1$`},
		{"PURGE / HTTP/1.1\nX-Magento-Tags-Pattern: cat_p_[0-9]+", `ban obj.http.X-Magento-Tags ~ cat_p_[0-9]+`},
	} {
		parts, err := read(request(t, tc.request))
		if err != nil {
			t.Errorf("%s: %v", tc.request, err)
			continue
		}
		var texts []string
		for _, p := range parts {
			for _, s := range p.selectors {
				texts = append(texts, s.Kind.String()+" "+s.String())
			}
		}
		if got := strings.Join(texts, " | "); got != tc.want {
			t.Errorf("%s:\n%s, want\n%s", tc.request, got, tc.want)
		}
	}
}

func TestBadExpressions(t *testing.T) {
	for _, text := range []string{
		"BAN / HTTP/1.1\nX-Ban-Expression: a", "BAN / HTTP/1.1\nX-Tags: a", "BAN / HTTP/1.1\nX-Url: (", "BAN / HTTP/1.1\nX-Host: [", "BAN / HTTP/1.1\nX-Cache-Tags: a\\1", "BAN /[ HTTP/1.1",
		"BAN / HTTP/1.1\nX-Url: " + strings.Repeat("a", maxExpression+1), "PURGE / HTTP/1.1\nX-Magento-Tags-Pattern: (?<=a)b",
	} {
		if parts, err := read(request(t, text)); err == nil {
			t.Errorf("%.80s is %+v", text, parts)
		}
	}
}

// request reads a request's head; Host is www.example.com.
func request(t testing.TB, text string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(dialecttest.Wire(text + "\nHost: www.example.com\n\n"))))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return r
}

// FuzzRequest holds that what a request asks for is refused, or named.
func FuzzRequest(f *testing.F) {
	f.Add("BAN", "/a/.*", "X-Cache-Tags", "(^|,)(a)(,|$)")
	f.Add("PURGE", "/?vhp-regex", "X-Purge-Method", "regex")
	f.Add("PURGE", "/", "X-Magento-Tags-Pattern", "((^|,)a(,|$))")
	f.Add("PURGEKEYS", "/", "xkey-softpurge", "a b")
	f.Add("PURGETAGS", "/", "X-Cache-Tags", "a,b")
	f.Add("BAN", "/", "X-Host", "^(a|b)$")
	f.Add("BAN", "/", "X-Url", "^/a/")
	f.Add("PURGE", "/x", "Clear-Cache", "true")
	f.Fuzz(func(t *testing.T, method, target, name, value string) {
		r := &http.Request{Method: method, RequestURI: target, Host: "www.example.com", Header: http.Header{http.CanonicalHeaderKey(name): {value}}}
		Speaks(r)
		parts, err := read(r)
		if err != nil {
			return
		}
		for _, p := range parts {
			if len(p.selectors) == 0 {
				t.Error("nothing is named")
			}
			for _, s := range p.selectors {
				if s.Kind == 0 {
					t.Errorf("an empty selector of %q %q %q: %q", method, target, name, value)
				}
			}
		}
	})
}
