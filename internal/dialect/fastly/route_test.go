package fastly

import (
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/purge"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		target string
		want   route
	}{
		{"/service/s/purge_all", route{action: purgeAll, service: "s"}},
		{"/service/s/purge_all/", route{action: purgeAll, service: "s"}},
		{"/service/s/purge_all?x=/y", route{action: purgeAll, service: "s"}},
		{"/service/s/purge_all/x", route{}},
		{"/service/s/purge", route{action: purgeKeys, service: "s"}},
		{"/service/s/purge/", route{action: purgeKeys, service: "s"}},
		{"/service/s/purge?a", route{action: purgeKeys, service: "s"}},
		{"/service/s/purge/k", route{action: purgeKey, service: "s", rest: "k"}},
		{"/service/s/purge/k/", route{action: purgeKey, service: "s", rest: "k/"}},
		{"/service/s/purge/k%2F1%20x", route{action: purgeKey, service: "s", rest: "k/1 x"}},
		{"/service/s/purge/k%252F", route{action: purgeKey, service: "s", rest: "k%2F"}},
		{"/service/s/purge/100%", route{action: purgeKey, service: "s", rest: "100%"}},
		{"/service/s/purge/a+b?c#d", route{action: purgeKey, service: "s", rest: "a+b?c#d"}},
		{"/service/s/purge/k?wait=all&timeout=5s", route{action: purgeKey, service: "s", rest: "k", asks: true}},
		{"/service/s/purge/k%3Fwait=all?timeout=5s", route{action: purgeKey, service: "s", rest: "k?wait=all", asks: true}},
		{"/service/s/purge/k%3Fwait=all", route{action: purgeKey, service: "s", rest: "k?wait=all"}},
		{"/service/s/purge/k?wait=all&x=1", route{action: purgeKey, service: "s", rest: "k?wait=all&x=1"}},
		{"/service/s/purge/k?wait", route{action: purgeKey, service: "s", rest: "k?wait"}},
		{"/service/s/purge/k?", route{action: purgeKey, service: "s", rest: "k?"}},
		{"/service/s/purge/?wait=all", route{action: purgeKey, service: "s", rest: "?wait=all"}},
		{"//service/s/purge/k", route{action: purgeKey, service: "s", rest: "k"}},
		{"http://a.example/service/s/purge/k", route{action: purgeKey, service: "s", rest: "k"}},
		{"/service/s", route{action: oneService, service: "s"}},
		{"/service/s/", route{action: oneService, service: "s"}},
		{"/service/search?name=s", route{action: findService, query: "name=s"}},
		{"/service?page=1", route{action: allServices, query: "page=1"}},
		{"/service/", route{action: allServices}},
		{"/purge/https://h/p?q", route{action: purgeURL, rest: "https://h/p?q"}},
		{"/purge/", route{}},
		{"/services", route{}},
		{"/tokens/self", route{action: tokenSelf}},
		{"/tokens/self?x", route{action: tokenSelf}},
		{"/tokens", route{}},
		{"/tokens?x=/self", route{}},
		{"*", route{}},
		{"http://a.example", route{}},
		{"", route{}},
	} {
		if got := parse(tc.target); got != tc.want {
			t.Errorf("parse(%q) = %+v, want %+v", tc.target, got, tc.want)
		}
	}
}

func TestBothSchemes(t *testing.T) {
	for url, want := range map[string]string{
		"www.example.com/a":            "//www.example.com/a",
		"https://www.example.com/a":    "//www.example.com/a",
		"HTTP://www.example.com/a":     "//www.example.com/a",
		"https:/www.example.com/a":     "//www.example.com/a", // a proxy merged the slashes
		"//www.example.com/a":          "//www.example.com/a",
		"https%3A%2F%2Fh.example%2Fa":  "//h.example/a",
		"h.example%2Fa%2520b":          "//h.example/a%20b",
		"h.example/a%2Fb":              "//h.example/a%2Fb", // only the path is escaped: it stays
		"h.example?u=https%3A%2F%2Fx":  "//h.example?u=https%3A%2F%2Fx",
		"h.example/a?u=https://x/#top": "//h.example/a?u=https://x/%23top",
	} {
		if got := bothSchemes(url); got != want {
			t.Errorf("bothSchemes(%q) = %q, want %q", url, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"/service/s/purge/k%2F1%20x?y", "/purge/https://h/p?q=%", "http://a/service/search?name=%zz", "//", "/service/%/purge",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		rt := parse(target)
		switch rt.action {
		case purgeKey:
			if rt.rest == "" {
				t.Error("a purge of an empty key")
			}
		case purgeURL:
			s, err := purge.URL(bothSchemes(rt.rest))
			if err == nil && (s.Target.Scheme != "" || s.Target.Host == "" || !strings.HasPrefix(s.Target.Path, "/")) {
				t.Errorf("%q selects %+v", target, s.Target)
			}
		}
	})
}

func FuzzBodyKeys(f *testing.F) {
	for _, seed := range []string{`{"surrogate_keys":["a","b"]}`, `{"surrogate_keys":null}`, "", " \n", `[]`, `{"surrogate_keys":[1]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := bodyKeys(body)
		if err != nil {
			return
		}
		selectors, err := keySelectors(keys)
		if err == nil && (len(selectors) == 0 || len(selectors) > purge.MaxKeys) {
			t.Errorf("%d selectors", len(selectors))
		}
	})
}
