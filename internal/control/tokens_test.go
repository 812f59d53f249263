package control

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/purge"
)

var socket = Credentials{Local: true}

// create makes a token that must be possible to make.
func (n *node) create(t testing.TB, spec NewTokenSpec) (TokenInfo, string) {
	t.Helper()
	info, secret, err := n.CreateToken(socket, spec)
	if err != nil {
		t.Fatal(err)
	}
	return info, secret
}

func editorOf(name string, services ...string) NewTokenSpec {
	return NewTokenSpec{Name: name, Scopes: []string{"purge_select"}, Services: services}
}

func TestCreatedToken(t *testing.T) {
	dir := t.TempDir()
	n := withTokens(t, dir)
	info, secret := n.create(t, editorOf("ci", "shop"))
	if !regexp.MustCompile(`^rsc_[a-z2-7]{52}$`).MatchString(secret) {
		t.Errorf("the secret is %q", secret)
	}
	if info.ID == "" || info.Name != "ci" || info.Scopes != PurgeSelect || !info.Created.Equal(n.clock) || !info.LastUsed.IsZero() {
		t.Errorf("created %+v", info)
	}
	for service, want := range map[string]error{"shop": nil, "blog": ErrForbidden} {
		if err := n.ask(t, with(stranger, secret), service, 1); !errors.Is(err, want) {
			t.Errorf("purging %s with it: %v, want %v", service, err, want)
		}
	}
	if r := n.sink.purged[0]; r.Actor != "ci" {
		t.Errorf("recorded as %q", r.Actor)
	}
	data, err := os.ReadFile(filepath.Join(dir, "tokens.json"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), secret) || strings.Contains(string(data), secret[4:]) {
		t.Errorf("the file holds the secret:\n%s", data)
	}
	if st, err := os.Stat(filepath.Join(dir, "tokens.json")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", st.Mode(), err)
	}
	if e := n.tokens; len(e) != 1 || e[0].Change != event.TokenCreated || e[0].ID != info.ID || e[0].Actor != ActorLocal ||
		strings.Contains(fmt.Sprintf("%+v", e), secret) {
		t.Errorf("events %+v", e)
	}

	again := withTokens(t, dir)
	if err := again.ask(t, with(stranger, secret), "shop", 1); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestRevokedToken(t *testing.T) {
	dir := t.TempDir()
	n := withTokens(t, dir)
	info, secret := n.create(t, editorOf("ci"))
	_, other := n.create(t, editorOf("other"))
	if err := n.RevokeToken(socket, info.ID); err != nil {
		t.Fatal(err)
	}
	for when, node := range map[string]*node{"at once": n, "after a restart": withTokens(t, dir)} {
		if err := node.ask(t, with(here, secret), "shop", 1); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("%s: %v", when, err)
		}
		if err := node.ask(t, with(stranger, other), "shop", 1); err != nil {
			t.Errorf("another token %s: %v", when, err)
		}
	}
	for _, id := range []string{info.ID, "", "nobody"} {
		if err := n.RevokeToken(socket, id); !errors.Is(err, ErrUnknownToken) {
			t.Errorf("revoking %q: %v", id, err)
		}
	}
	next, _ := n.create(t, editorOf("ci"))
	if next.ID == info.ID {
		t.Error("an id was given out again")
	}
	if e := n.tokens[2]; e.Change != event.TokenRevoked || e.Name != "ci" {
		t.Errorf("event %+v", e)
	}
}

func TestTokenExpiresExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := withTokens(t, t.TempDir())
		n.Control.parts.Now = time.Now
		spec := editorOf("ci")
		spec.Expires = time.Now().Add(time.Hour)
		_, secret := n.create(t, spec)
		time.Sleep(time.Hour - 1)
		if err := n.ask(t, with(stranger, secret), "shop", 1); err != nil {
			t.Errorf("a nanosecond before its end: %v", err)
		}
		time.Sleep(time.Nanosecond)
		for name, creds := range map[string]Credentials{"from anywhere": with(stranger, secret), "at home": with(here, secret)} {
			err := n.ask(t, creds, "shop", 1)
			if !errors.Is(err, ErrTokenExpired) || !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("at its end, %s: %v", name, err)
			}
		}
		if e := n.sink.denied[0]; e.Reason != event.DeniedExpired || e.Actor != "ci" {
			t.Errorf("event %+v", e)
		}
		if _, err := n.Reader(with(stranger, secret)); !errors.Is(err, ErrTokenExpired) {
			t.Errorf("reading: %v", err)
		}
		list, err := n.ListTokens(socket)
		if last := list[len(list)-1]; err != nil || !last.Expired || last.Name != "ci" || !last.LastUsed.Equal(time.Now().Add(-1)) {
			t.Errorf("listed as %+v, %v", last, err)
		}
		n.create(t, editorOf("ci")) // the name is free again
		time.Sleep(expiredFor)
		n.create(t, editorOf("next"))
		if err := n.ask(t, with(stranger, secret), "shop", 1); errors.Is(err, ErrTokenExpired) || !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("long after: %v", err)
		}
	})
}

func TestConfiguredTokenExpires(t *testing.T) {
	n := newNode(t)
	tok, err := NewToken(TokenSpec{Name: "old", Value: "old-secret", Scopes: []string{"global"}, Expires: n.clock})
	if err != nil {
		t.Fatal(err)
	}
	n.cfg.Tokens = append(n.cfg.Tokens, tok)
	if err := n.Reconfigure(n.cfg); err != nil {
		t.Fatal(err)
	}
	if err := n.ask(t, with(stranger, "old-secret"), "shop", 1); !errors.Is(err, ErrTokenExpired) {
		t.Error(err)
	}
}

// TestWhoMayManageTokens is the matrix of callers and what they may create.
func TestWhoMayManageTokens(t *testing.T) {
	n := withTokens(t, t.TempDir())
	shopkeeper := NewTokenSpec{Name: "shopkeeper", Scopes: []string{"global"}, Services: []string{"shop"}}
	_, local := n.create(t, shopkeeper)
	n.create(t, editorOf("blogger", "blog"))
	everything := "deploy editor flusher watcher root shopkeeper blogger"
	for name, tc := range map[string]struct {
		creds   Credentials
		sees    string // tokens
		err     error  // of all
		forAll  error  // of creating a token for all services
		forShop error
	}{
		"socket":              {socket, everything, nil, nil, nil},
		"root":                {with(stranger, "root-secret"), everything, nil, nil, nil},
		"global on shop":      {with(stranger, local), "deploy editor flusher shopkeeper", nil, ErrForbidden, nil},
		"deploy":              {with(stranger, "deploy-secret"), "", ErrForbidden, ErrForbidden, ErrForbidden},
		"watcher":             {with(stranger, "watcher-secret"), "", ErrForbidden, ErrForbidden, ErrForbidden},
		"deploy on socket":    {with(socket, "deploy-secret"), "", ErrForbidden, ErrForbidden, ErrForbidden},
		"loopback":            {here, "", ErrUnauthenticated, ErrUnauthenticated, ErrUnauthenticated},
		"wrong":               {with(socket, "wrong-secret"), "", ErrUnauthenticated, ErrUnauthenticated, ErrUnauthenticated},
		"socket, passed on":   {forwarded(socket), "", ErrUnauthenticated, ErrUnauthenticated, ErrUnauthenticated},
		"socket of the sites": {onData(socket), "", ErrUnauthenticated, ErrUnauthenticated, ErrUnauthenticated},
	} {
		list, err := n.ListTokens(tc.creds)
		if !errors.Is(err, tc.err) || names(list) != tc.sees {
			t.Errorf("%s sees %q, %v; want %q, %v", name, names(list), err, tc.sees, tc.err)
		}
		for want, spec := range map[string]NewTokenSpec{"all": editorOf(name + " all"), "shop": editorOf(name+" shop", "shop")} {
			info, _, err := n.CreateToken(tc.creds, spec)
			expected := tc.forShop
			if want == "all" {
				expected = tc.forAll
			}
			if !errors.Is(err, expected) {
				t.Errorf("%s creates a token for %s: %v, want %v", name, want, err, expected)
			}
			if err == nil {
				err = n.RevokeToken(tc.creds, info.ID)
			}
			if !errors.Is(err, expected) {
				t.Errorf("%s revokes a token for %s: %v, want %v", name, want, err, expected)
			}
		}
	}
	all, err := n.ListTokens(socket)
	if err != nil {
		t.Fatal(err)
	}
	blogger := all[len(all)-1]
	if err := n.RevokeToken(with(stranger, local), blogger.ID); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("another's token was revoked: %v", err)
	}
}

func names(list []TokenInfo) string {
	var out []string
	for _, info := range list {
		out = append(out, info.Name)
	}
	return strings.Join(out, " ")
}

func TestBadNewTokens(t *testing.T) {
	n := withTokens(t, t.TempDir())
	for name, tc := range map[string]struct {
		spec NewTokenSpec
		want error
	}{
		"no name":         {editorOf(""), ErrBadRequest},
		"long name":       {editorOf(strings.Repeat("x", MaxTokenNameBytes+1)), ErrBadRequest},
		"control byte":    {editorOf("a\nb"), ErrBadRequest},
		"blanks":          {editorOf(" a"), ErrBadRequest},
		"reserved":        {editorOf(ActorLocal), ErrBadRequest},
		"no scope":        {NewTokenSpec{Name: "a"}, ErrBadRequest},
		"unknown scope":   {NewTokenSpec{Name: "a", Scopes: []string{"purge"}}, ErrBadRequest},
		"unknown service": {editorOf("a", "nobody"), ErrUnknownService},
		"expired already": {NewTokenSpec{Name: "a", Scopes: []string{"global"}, Expires: n.clock}, ErrBadRequest},
		"configured name": {editorOf("deploy"), ErrTokenConflict},
	} {
		if _, secret, err := n.CreateToken(socket, tc.spec); !errors.Is(err, tc.want) || secret != "" {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	n.create(t, editorOf("a"))
	if _, _, err := n.CreateToken(socket, editorOf("a")); !errors.Is(err, ErrTokenConflict) {
		t.Errorf("a name twice: %v", err)
	}
	if _, _, err := newNode(t).CreateToken(socket, editorOf("a")); !errors.Is(err, ErrNoDataDir) {
		t.Errorf("without a data directory: %v", err)
	}
}

func TestTokensAreBounded(t *testing.T) {
	n := withTokens(t, t.TempDir())
	full := make([]Token, MaxTokens)
	for i := range full {
		full[i] = token(t, fmt.Sprint("t", i), "global")
	}
	n.Control.parts.Tokens.live.Store(&full)
	if _, _, err := n.CreateToken(socket, editorOf("one too many")); !errors.Is(err, ErrTokenConflict) {
		t.Error(err)
	}
}

// TestTokensThatCannotBeSaved has a data directory that is gone.
func TestTokensThatCannotBeSaved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	n := withTokens(t, dir)
	info, secret := n.create(t, editorOf("ci"))
	moved := dir + ".moved"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.CreateToken(socket, editorOf("next")); !errors.Is(err, ErrNotSaved) {
		t.Errorf("creating: %v", err)
	}
	if list, err := n.ListTokens(socket); err != nil || strings.Contains(names(list), "next") {
		t.Errorf("a token that was not kept is listed: %v, %v", names(list), err)
	}
	for range 2 {
		if err := n.RevokeToken(socket, info.ID); !errors.Is(err, ErrNotSaved) {
			t.Errorf("revoking: %v", err)
		}
		if err := n.ask(t, with(stranger, secret), "shop", 1); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("it is still good: %v", err)
		}
	}
	if err := os.Rename(moved, dir); err != nil {
		t.Fatal(err)
	}
	if err := n.RevokeToken(socket, info.ID); err != nil {
		t.Errorf("revoking again: %v", err)
	}
	if err := withTokens(t, dir).ask(t, with(stranger, secret), "shop", 1); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("after a restart: %v", err)
	}
}

func TestReloadKeepsLastUse(t *testing.T) {
	n := withTokens(t, t.TempDir())
	if err := n.ask(t, with(stranger, "deploy-secret"), "shop", 1); err != nil {
		t.Fatal(err)
	}
	if err := n.Reconfigure(n.cfg); err != nil {
		t.Fatal(err)
	}
	list, err := n.ListTokens(socket)
	if err != nil || !list[0].LastUsed.Equal(n.clock) || !list[1].LastUsed.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
	self, err := n.Self(with(stranger, "deploy-secret"))
	if err != nil || self.Name != "deploy" {
		t.Errorf("%+v, %v", self, err)
	}
	if _, err := n.Self(socket); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("who has no token is %v", err)
	}
}

func TestTokensAtOnce(t *testing.T) {
	dir := t.TempDir()
	n := newNode(t)
	tokens, err := OpenTokens(dir)
	if err != nil {
		t.Fatal(err)
	}
	n.Control.parts.Tokens, n.Control.parts.TokenChanged = tokens, func(event.TokenChanged) {}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 5 {
				info, secret, err := n.CreateToken(socket, editorOf(fmt.Sprint(i, "-", j)))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := n.Purge(with(stranger, secret), Request{Service: "shop", Selectors: []purge.Selector{key(t, "k")}}); err != nil {
					t.Error(err)
				}
				if err := n.Reconfigure(n.cfg); err != nil {
					t.Error(err)
				}
				if j > 0 {
					if err := n.RevokeToken(socket, info.ID); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	kept, err := OpenTokens(dir)
	if err != nil || len(kept.all()) != 4 {
		t.Errorf("%d tokens are kept, %v", len(kept.all()), err)
	}
}

func TestDamagedTokenFile(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	good := `{"id":"A","name":"a","sha256":"` + hash + `","scopes":["global"],"created":"2026-01-01T00:00:00Z"}`
	for name, content := range map[string]string{
		"empty":         "",
		"cut":           `{"version":1,"tokens":[` + good[:30],
		"no version":    `{"tokens":[]}`,
		"newer":         `{"version":2,"tokens":[]}`,
		"unknown field": `{"version":1,"tokens":[],"x":1}`,
		"bad hash":      `{"version":1,"tokens":[{"id":"A","name":"a","sha256":"ab","scopes":["global"],"created":"2026-01-01T00:00:00Z"}]}`,
		"no id":         `{"version":1,"tokens":[` + strings.Replace(good, `"A"`, `""`, 1) + `]}`,
		"no scope":      `{"version":1,"tokens":[` + strings.Replace(good, `"global"`, ``, 1) + `]}`,
		"twice":         `{"version":1,"tokens":[` + good + `,` + good + `]}`,
		"too large":     strings.Repeat(" ", maxTokenFile+1),
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "tokens.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenTokens(dir)
		if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", name, err)
		}
		if data, err := os.ReadFile(file); err != nil || string(data) != content {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"tokens.json": `{"version":1,"tokens":[` + good + `]}`, "tokens.json.new": "what a crash left",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n := withTokens(t, dir)
	n.create(t, editorOf("next"))
	if kept, err := OpenTokens(dir); err != nil || len(kept.all()) != 2 {
		t.Errorf("after a crash in the middle of a change: %v", err)
	}
}

func FuzzParseTokens(f *testing.F) {
	f.Add([]byte(`{"version":1,"tokens":[{"id":"A","name":"a","sha256":"` + strings.Repeat("ab", 32) + `","scopes":["global"],"created":"2026-01-01T00:00:00Z"}]}`))
	f.Add([]byte(`{"version":1,"tokens":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseTokens(data)
		if err != nil {
			return
		}
		for _, tok := range list {
			if tok.id == "" || tok.scopes == 0 || tok.account == nil {
				t.Errorf("token %+v", tok)
			}
		}
		name := filepath.Join(t.TempDir(), "f")
		if err := writeTokens(name, list); err != nil {
			t.Fatal(err)
		}
		if again, err := readTokens(name); err != nil || len(again) != len(list) {
			t.Errorf("%d tokens were written, %d read: %v", len(list), len(again), err)
		}
	})
}
