package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
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
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
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
	names, err := disk.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := disk.ReadFile(name, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), secret) || strings.Contains(string(data), secret[4:]) {
			t.Errorf("%s holds the secret", name)
		}
	}
	if e := n.tokens; len(e) != 1 || e[0].Change != event.TokenCreated || e[0].ID != info.ID || e[0].Actor != ActorLocal ||
		strings.Contains(fmt.Sprintf("%+v", e), secret) {
		t.Errorf("events %+v", e)
	}

	again := withTokens(t, disk.Clone())
	if err := again.ask(t, with(stranger, secret), "shop", 1); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestRevokedToken(t *testing.T) {
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
	info, secret := n.create(t, editorOf("ci"))
	_, other := n.create(t, editorOf("other"))
	if _, err := n.RevokeToken(socket, info.ID); err != nil {
		t.Fatal(err)
	}
	for when, node := range map[string]*node{"at once": n, "after a restart": withTokens(t, disk.Clone())} {
		if err := node.ask(t, with(here, secret), "shop", 1); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("%s: %v", when, err)
		}
		if err := node.ask(t, with(stranger, other), "shop", 1); err != nil {
			t.Errorf("another token %s: %v", when, err)
		}
	}
	for _, id := range []string{info.ID, "", "nobody"} {
		if _, err := n.RevokeToken(socket, id); !errors.Is(err, ErrUnknownToken) {
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
		n := withTokens(t, vfs.NewMemory())
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
	n := withTokens(t, vfs.NewMemory())
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
				_, err = n.RevokeToken(tc.creds, info.ID)
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
	if _, err := n.RevokeToken(with(stranger, local), blogger.ID); !errors.Is(err, ErrUnknownToken) {
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
	n := withTokens(t, vfs.NewMemory())
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
	n := withTokens(t, vfs.NewMemory())
	full := make([]Token, MaxTokens)
	for i := range full {
		full[i] = token(t, fmt.Sprint("t", i), "global")
	}
	n.Control.tokens.live.Store(&full)
	if _, _, err := n.CreateToken(socket, editorOf("one too many")); !errors.Is(err, ErrTokenConflict) {
		t.Error(err)
	}
}

// TestTokensThatCannotBeSaved has a disk that takes nothing for a while.
func TestTokensThatCannotBeSaved(t *testing.T) {
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
	info, secret := n.create(t, editorOf("ci"))
	full := errors.New("no space left on device")
	disk.Fault = func(op vfs.Op, _ string) error {
		if op == vfs.OpWrite || op == vfs.OpSync || op == vfs.OpCreate {
			return full
		}
		return nil
	}
	if _, _, err := n.CreateToken(socket, editorOf("next")); !errors.Is(err, ErrNotSaved) {
		t.Errorf("creating: %v", err)
	}
	for range 2 {
		if _, err := n.RevokeToken(socket, info.ID); !errors.Is(err, ErrNotSaved) {
			t.Errorf("revoking: %v", err)
		}
		if err := n.ask(t, with(stranger, secret), "shop", 1); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("it is still good: %v", err)
		}
	}
	disk.Fault = nil
	if _, err := n.RevokeToken(socket, info.ID); err != nil && !errors.Is(err, ErrUnknownToken) {
		t.Errorf("revoking again: %v", err)
	}
	if err := withTokens(t, disk.Clone()).ask(t, with(stranger, secret), "shop", 1); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("after a restart: %v", err)
	}
}

// Tokens that are made or revoked at one time wait for one sync together, as purges
// do, and nobody is told that one is gone before it is so on disk.
func TestTokenChangesShareASync(t *testing.T) {
	const tokens = 16
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
	var old []string
	for i := range tokens {
		info, _ := n.create(t, editorOf(fmt.Sprint("old-", i)))
		old = append(old, info.ID)
	}
	n.parts.TokenChanged = func(event.TokenChanged) {}
	syncs, deadline := 0, time.Now().Add(20*time.Second)
	disk.Fault = func(op vfs.Op, _ string) error {
		if op != vfs.OpSync {
			return nil
		}
		for syncs++; syncs == 1; runtime.Gosched() {
			if _, issued := n.parts.Journal.Own(); issued == 3*tokens {
				break
			}
			if time.Now().After(deadline) {
				return errors.New("the others wait for this sync")
			}
		}
		return nil
	}
	var wg sync.WaitGroup
	for i, id := range old {
		wg.Go(func() {
			if _, _, err := n.CreateToken(socket, editorOf(fmt.Sprint("new-", i))); err != nil {
				t.Error(err)
			}
		})
		for range 2 { // of two who revoke one, the second is told no sooner than the first
			wg.Go(func() {
				if _, err := n.RevokeToken(socket, id); err != nil && !errors.Is(err, ErrUnknownToken) {
					t.Error(err)
				}
				if kept := withTokens(t, disk.Clone()).Control.tokens.all(); slices.ContainsFunc(kept, func(tok Token) bool { return tok.id == id }) {
					t.Errorf("%s was revoked and would be good after a restart", id)
				}
			})
		}
	}
	wg.Wait()
	disk.Fault = nil
	if kept := withTokens(t, disk.Clone()).Control.tokens.all(); len(kept) != tokens {
		t.Errorf("%d tokens after a restart, not %d", len(kept), tokens)
	}
	if syncs > tokens {
		t.Errorf("%d syncs for %d changes", syncs, 2*tokens)
	}
}

func TestReloadKeepsLastUse(t *testing.T) {
	n := withTokens(t, vfs.NewMemory())
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
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
	n.Control.parts.TokenChanged = func(event.TokenChanged) {}
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
					if _, err := n.RevokeToken(socket, info.ID); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if kept := withTokens(t, disk.Clone()).Control.tokens.all(); len(kept) != 4 {
		t.Errorf("%d tokens are kept", len(kept))
	}
}

// TestForeignTokens: what another node says of a token is taken only where it
// makes sense.
func TestForeignTokens(t *testing.T) {
	good := recordOf(token(t, "a", "global"))
	good.ID = "A"
	encode := func(change func(*tokenRecord)) []byte {
		r := good
		change(&r)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		body []byte
		want bool
	}{
		"good":          {encode(func(*tokenRecord) {}), true},
		"of later":      {[]byte(strings.Replace(string(encode(func(*tokenRecord) {})), "{", `{"later":1,`, 1)), true},
		"not JSON":      {[]byte("{"), false},
		"no id":         {encode(func(r *tokenRecord) { r.ID = "" }), false},
		"bad hash":      {encode(func(r *tokenRecord) { r.Hash = "ab" }), false},
		"no scope":      {encode(func(r *tokenRecord) { r.Scopes = nil }), false},
		"unknown scope": {encode(func(r *tokenRecord) { r.Scopes = []string{"later"} }), false},
	} {
		n := withTokens(t, vfs.NewMemory())
		e := journal.Entry{
			ID: journal.ID{Incarnation: journal.Incarnation{1}, Seq: 1}, Kind: journal.KindTokenCreate, Time: n.clock.UnixMilli(), Body: c.body,
		}
		if _, _, err := n.Control.parts.Journal.Receive([]journal.Entry{e}); err != nil {
			t.Fatal(err)
		}
		if got := len(n.Control.tokens.all()) == 1; got != c.want {
			t.Errorf("%s: taken: %v, want %v", name, got, c.want)
		}
	}
}

// FuzzForeignBodies: no entry of another node makes this one fail, and what is
// written is read.
func FuzzForeignBodies(f *testing.F) {
	f.Add(appendPurge(nil, &Receipt{ID: purge.NewID(1), Service: "shop", Selectors: []purge.Selector{{Kind: purge.ByKey, Key: "k"}}, Effect: purge.SoftEffect()}))
	f.Add(appendRevert(nil, &Reverted{ID: purge.NewID(1), Actor: "a"}))
	f.Add([]byte(`{"id":"A"}`))
	f.Add([]byte("\n\x10\x00\x00\x00\x00\x00\x01\x10\xe1xf\xa6\x01\xef\xae\bo\x12\x04shopB\x032\x01k")) // a selector of no kind
	f.Fuzz(func(t *testing.T, body []byte) {
		parseToken(body)
		if rev, err := parseRevert(body); err == nil {
			if again, err := parseRevert(appendRevert(nil, &rev)); err != nil || again.ID != rev.ID {
				t.Errorf("%+v became %+v, %v", rev, again, err)
			}
		}
		r, err := parsePurge(body, new(words))
		if err != nil {
			return
		}
		again, err := parsePurge(appendPurge(nil, &r), new(words))
		if err != nil || again.ID != r.ID || again.Effect.Normal() != r.Effect.Normal() || !slices.Equal(again.Selectors, r.Selectors) {
			t.Errorf("%+v became %+v, %v", r, again, err)
		}
	})
}

func TestTokensAreRefusedUntilTheyAreKnown(t *testing.T) {
	disk := vfs.NewMemory()
	n := withTokens(t, disk)
	_, secret := n.create(t, editorOf("ci", "shop"))
	known := false
	n.parts.TokensKnown = func() bool { return known }
	ask := func(secret string) error {
		_, err := n.Purge(with(stranger, secret), Request{Service: "shop", Selectors: slicesOf(t, 1)})
		return err
	}
	if err := ask(secret); !errors.Is(err, ErrTokensUnknown) {
		t.Errorf("a token that may have been revoked while the node was away: %v", err)
	}
	if err := ask("deploy-secret"); errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a configured one: %v", err)
	}
	known = true
	if err := ask(secret); err != nil {
		t.Errorf("once they are known: %v", err)
	}
	if err := ask("nonsense"); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("an unknown one: %v", err)
	}
}
