package fastly

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

// remaining returns what an answer says is left; -1 where it says nothing.
func remaining(t *testing.T, a dialecttest.Answer) int {
	t.Helper()
	left, reset := a.Header.Get("Fastly-RateLimit-Remaining"), a.Header.Get("Fastly-RateLimit-Reset")
	if left == "" && reset == "" {
		return -1
	}
	n, err1 := strconv.Atoi(left)
	at, err2 := strconv.ParseInt(reset, 10, 64)
	if err1 != nil || err2 != nil || at < time.Now().Add(-time.Hour).Unix() || at > time.Now().Add(2*time.Hour).Unix() {
		t.Errorf("remaining %q until %q", left, reset)
	}
	return n
}

func TestEveryAnswerButToGetSaysWhatIsLeft(t *testing.T) {
	const keys, alls = control.DefaultPerHour, control.DefaultAllPerHour
	began := time.Now()
	node := dialecttest.NewAt(t, func() time.Time { return began }) // else limits fill up while the test runs
	for _, tc := range []struct {
		line, token string
		want        int
	}{
		{"POST /service/shop/purge/a", dialecttest.Editor, keys - 1},
		{"POST /service/shop/purge", dialecttest.Editor, keys - 3}, // two in the header
		{"POST /purge/www.example.com/", dialecttest.Editor, keys - 4},
		{"PURGE /a", dialecttest.Editor, keys - 5},
		{"POST /service/shop/purge/" + strings.Repeat("k", 2048), dialecttest.Editor, keys - 5},
		{"POST /service/shop/purge/a", dialecttest.Deploy, keys - 1},
		{"POST /service/shop/purge_all", dialecttest.Deploy, alls - 1},
		{"POST /service/shop/purge_all", dialecttest.Editor, alls},
		{"POST /service/shop/purge_all", dialecttest.Wrong, 0},
		{"POST /service", dialecttest.Deploy, alls},
		{"DELETE /nothing", dialecttest.Deploy, alls},
		{"GET /service", dialecttest.Deploy, -1},
	} {
		raw := tc.line + " HTTP/1.1\nHost: www.example.com\nFastly-Key: " + tc.token + "\nSurrogate-Key: k1 k2\n\n"
		got := dialecttest.Send(t, API(node.Door()), raw)
		if left := remaining(t, got); left != tc.want {
			t.Errorf("%.60s: %d are left, want %d (answered %d)", tc.line, left, tc.want, got.Status)
		}
	}
	got := dialecttest.Send(t, Purge(node.Door()), "PURGE /a HTTP/1.1\nHost: www.example.com\nFastly-Key: editor-secret\n\n")
	if left := remaining(t, got); left != keys-6 {
		t.Errorf("on a site's own listener: %d are left", left)
	}
}

func TestWithoutLimitsAMillionIsLeft(t *testing.T) {
	node := dialecttest.New(t)
	node.Config.Limits = control.Limits{PerHour: -1, AllPerHour: -1}
	if err := node.Control.Reconfigure(node.Config); err != nil {
		t.Fatal(err)
	}
	got := dialecttest.Send(t, API(node.Door()), "POST /service/shop/purge/a HTTP/1.1\nHost: a\nFastly-Key: editor-secret\n\n")
	if left := remaining(t, got); got.Status != 200 || left < 1_000_000 {
		t.Errorf("%d, %d are left", got.Status, left)
	}
}

// TestPurgeRequiresAuth has edge logic, or the caller, ask for a token where an
// address would do.
func TestPurgeRequiresAuth(t *testing.T) {
	for name, door := range map[string]func(*dialecttest.Node) http.Handler{
		"site": func(n *dialecttest.Node) http.Handler { return Purge(n.Door()) },
		"API":  func(n *dialecttest.Node) http.Handler { return API(n.Door()) },
	} {
		for header, want := range map[string]purge.State{
			"": purge.Withdrawn, "Fastly-Purge-Requires-Auth: 1\n": purge.Live, "fastly-purge-requires-auth:\n": purge.Live,
			"Fastly-Purge-Requires-Auth: 1\nFastly-Key: editor-secret\n": purge.Withdrawn,
		} {
			node := dialecttest.New(t)
			got := dialecttest.Send(t, door(node), "PURGE /page HTTP/1.1\nHost: www.example.com\n"+header+"\n")
			if state := node.State(t, "shop", page); state != want || (got.Status == 200) != (want == purge.Withdrawn) {
				t.Errorf("%s, %q: answered %d, the object is %v", name, header, got.Status, state)
			}
		}
	}
}

func TestTokenSelf(t *testing.T) {
	node := dialecttest.New(t)
	info, secret, err := node.Control.CreateToken(dialecttest.Socket, control.NewTokenSpec{
		Name: "ci", Scopes: []string{"purge_select", "purge_all"}, Services: []string{"shop"}, Expires: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(token string) dialecttest.Answer {
		return dialecttest.Send(t, API(node.Door()), "GET /tokens/self HTTP/1.1\nHost: a\nFastly-Key: "+token+"\n\n")
	}
	var got token
	if err := json.Unmarshal([]byte(ask(secret).Body), &got); err != nil || got.ID != info.ID || got.Name != "ci" ||
		got.Scope != "purge_select purge_all" || len(got.Services) != 1 || got.ExpiresAt == nil || got.CreatedAt == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got := ask(dialecttest.Root); got.Body != `{"id":"root","name":"root","scope":"global","services":[],"created_at":null,"expires_at":null}` {
		t.Errorf("a configured one: %s", got.Body)
	}
	for _, token := range []string{"", dialecttest.Wrong, dialecttest.Expired} {
		check(t, ask(token), 401, msgUnauthenticated)
	}
}
