package control

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/purge"
)

// token returns a token whose secret is its name and "-secret".
func token(t testing.TB, name, scopes string, services ...string) Token {
	t.Helper()
	tok, err := NewToken(TokenSpec{Name: name, Value: name + "-secret", Scopes: strings.Fields(scopes), Services: services})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestTokenByHash(t *testing.T) {
	hash := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("hunter2")))
	tok, err := NewToken(TokenSpec{Name: "ci", Hash: hash, Scopes: []string{"global"}})
	if err != nil {
		t.Fatal(err)
	}
	if find("hunter2", []Token{tok}) == nil {
		t.Error("the secret does not match its own hash")
	}
	if find(hash, []Token{tok}) != nil {
		t.Error("the hash itself is accepted as the secret")
	}
}

func TestTokenFind(t *testing.T) {
	configured := []Token{token(t, "a", "global"), token(t, "b", "global")}
	created := []Token{token(t, "c", "global")}
	for secret, want := range map[string]string{
		"a-secret": "a", "b-secret": "b", "c-secret": "c",
		"": "", "a-secre": "", "a-secrets": "", "A-secret": "", "a-secret\x00": "",
	} {
		got := ""
		if tok := find(secret, configured, created); tok != nil {
			got = tok.name
		}
		if got != want {
			t.Errorf("%q is the secret of %q, want %q", secret, got, want)
		}
	}
}

func TestBadTokens(t *testing.T) {
	hash := "sha256:" + strings.Repeat("ab", 32)
	for _, spec := range []TokenSpec{
		{Value: "topsecret", Scopes: []string{"global"}},
		{Name: "local", Value: "topsecret", Scopes: []string{"global"}},
		{Name: "t", Scopes: []string{"global"}},
		{Name: "t", Value: "topsecret"},
		{Name: "t", Value: "topsecret", Scopes: []string{"purge"}},
		{Name: "t", Value: "topsecret", Hash: hash, Scopes: []string{"global"}},
		{Name: "t", Hash: hash[:len(hash)-2], Scopes: []string{"global"}},
		{Name: "t", Hash: hash[len("sha256:"):], Scopes: []string{"global"}},
		{Name: "t", Hash: "md5:topsecret", Scopes: []string{"global"}},
	} {
		_, err := NewToken(spec)
		if err == nil {
			t.Errorf("%#v with scopes %v was accepted", spec, spec.Scopes)
		} else if strings.Contains(err.Error(), "topsecret") {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	const secret = "topsecret"
	tok := TokenSpec{Name: "t", Value: secret}
	creds := Credentials{Token: secret}
	if s := fmt.Sprintf("%v %+v %#v %v %+v %#v", tok, tok, tok, creds, creds, creds); strings.Contains(s, secret) {
		t.Error(s)
	}
}

// TestWhoMayPurge is the matrix of callers, doors and selectors.
func TestWhoMayPurge(t *testing.T) {
	some, all := "some", "all"
	both := []string{some, all}
	for _, tc := range []struct {
		name    string
		creds   Credentials
		service string
		ok      []string // what is allowed
		refusal error    // for the rest
	}{
		{"deploy", with(stranger, "deploy-secret"), "shop", both, nil},
		{"deploy forwarded", forwarded(with(stranger, "deploy-secret")), "shop", both, nil},
		{"deploy elsewhere", with(stranger, "deploy-secret"), "blog", nil, ErrForbidden},
		{"deploy nowhere", with(stranger, "deploy-secret"), "nobody", nil, ErrForbidden},
		{"editor", with(stranger, "editor-secret"), "shop", []string{some}, ErrForbidden},
		{"flusher", with(stranger, "flusher-secret"), "shop", []string{all}, ErrForbidden},
		{"watcher", with(stranger, "watcher-secret"), "shop", nil, ErrForbidden},
		{"watcher at home", with(here, "watcher-secret"), "shop", nil, ErrForbidden},
		{"root", with(stranger, "root-secret"), "blog", both, nil},
		{"root, token required", with(stranger, "root-secret"), "locked", both, nil},
		{"root nowhere", with(stranger, "root-secret"), "nobody", nil, ErrUnknownService},
		{"wrong token at home", with(here, "wrong-secret"), "shop", nil, ErrUnauthenticated},

		{"home", here, "shop", both, nil},
		{"home, as IPv6", Credentials{Addr: netip.AddrFrom16(here.Addr.As16())}, "shop", both, nil},
		{"home by socket", Credentials{Local: true}, "shop", both, nil},
		{"home, passed on", forwarded(here), "shop", nil, ErrUnauthenticated},
		{"socket, passed on", forwarded(Credentials{Local: true}), "shop", nil, ErrUnauthenticated},
		{"home, nobody allowed", here, "blog", nil, ErrUnauthenticated},
		{"home, token required", here, "locked", nil, ErrUnauthenticated},
		{"home nowhere", here, "nobody", nil, ErrUnknownService},
		{"office at the admin listener", office, "shop", nil, ErrUnauthenticated},
		{"office at a site", onData(office), "shop", both, nil},
		{"office at a site, passed on", forwarded(onData(office)), "shop", nil, ErrUnauthenticated},
		{"office at another site", onData(office), "blog", nil, ErrUnauthenticated},
		{"stranger", onData(stranger), "shop", nil, ErrUnauthenticated},
		{"stranger nowhere", onData(stranger), "nobody", nil, ErrUnauthenticated},
		{"no address at all", Credentials{}, "shop", nil, ErrUnauthenticated},
	} {
		for what, selectors := range map[string][]purge.Selector{
			some: {key(t, "k"), path(t, "/a"), url(t, "//www.example.com/")},
			all:  {purge.All()},
		} {
			if tc.service != "shop" && what == some {
				selectors = selectors[:2]
			}
			n := newNode(t)
			_, err := n.Purge(tc.creds, Request{Service: tc.service, Selectors: selectors})
			allowed := false
			for _, w := range tc.ok {
				allowed = allowed || w == what
			}
			switch {
			case allowed && (err != nil || len(n.engine.applied) != 1):
				t.Errorf("%s: purge of %s refused: %v", tc.name, what, err)
			case !allowed && (!errors.Is(err, tc.refusal) || len(n.engine.applied) != 0):
				t.Errorf("%s: purge of %s gave %v, want %v", tc.name, what, err, tc.refusal)
			}
		}
	}
}

// TestEverythingNeedsItsScope checks that spelling "all" differently does not
// get around the scope for it.
func TestEverythingNeedsItsScope(t *testing.T) {
	for text, everything := range map[string]bool{
		"/": true, "/./": true, "/../": true, "/%2e": true, "/a/..": true,
		"/a": false, "//www.example.com/": false,
	} {
		n := newNode(t)
		_, err := n.Purge(with(stranger, "editor-secret"), Request{Service: "shop", Selectors: []purge.Selector{path(t, text)}})
		if refused := errors.Is(err, ErrForbidden); refused != everything {
			t.Errorf("path %q: %v", text, err)
		}
		if _, err := n.Purge(with(stranger, "deploy-secret"), Request{Service: "shop", Selectors: []purge.Selector{path(t, text)}}); err != nil {
			t.Errorf("path %q with both scopes: %v", text, err)
		}
		if last := n.engine.applied[len(n.engine.applied)-1]; last.All != everything {
			t.Errorf("path %q counts as everything: %v", text, last.All)
		}
	}
}

func TestWhoMayRead(t *testing.T) {
	for _, tc := range []struct {
		name  string
		creds Credentials
		sees  string
	}{
		{"home", here, "shop blog locked"},
		{"socket", Credentials{Local: true}, "shop blog locked"},
		{"watcher", with(stranger, "watcher-secret"), "shop blog locked"},
		{"editor", with(stranger, "editor-secret"), "shop"},
		{"home, passed on", forwarded(here), "nothing"},
		{"home at a site", onData(here), "nothing"},
		{"office", office, "nothing"},
		{"wrong token", with(here, "wrong-secret"), "nothing"},
	} {
		n := newNode(t)
		reader, err := n.Reader(tc.creds)
		if tc.sees == "nothing" {
			if !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("%s: %v, want %v", tc.name, err, ErrUnauthenticated)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		var ids []string
		for _, s := range reader.Services() {
			ids = append(ids, s.ID)
		}
		if got := strings.Join(ids, " "); got != tc.sees {
			t.Errorf("%s sees %q, want %q", tc.name, got, tc.sees)
		}
	}
}
