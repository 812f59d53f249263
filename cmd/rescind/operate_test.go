package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/api"
)

// operate answers what the commands for operators ask.
func operate(w http.ResponseWriter, r *http.Request, answer *any) bool {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	later := at.Add(time.Minute)
	switch r.Method + " " + r.URL.Path {
	case "GET " + api.PathServices:
		*answer = api.Services{Services: []api.ServiceStatus{{ID: "shop", Domains: []string{"a.example"}}, {ID: "blog"}}}
	case "GET " + api.PathTokens:
		*answer = api.Tokens{Tokens: []api.Token{
			{Name: "deploy", Source: api.TokenConfigured, Scopes: []api.Scope{api.ScopeGlobal}},
			{ID: "T1", Name: "ci", Source: api.TokenCreated, Scopes: []api.Scope{api.ScopePurgeAll}, Services: []string{"shop"}, Created: &at, Expires: &later, Expired: true},
		}}
	case "POST " + api.PathTokens:
		var wanted api.NewToken
		if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
			panic(err)
		}
		echo, _ := json.Marshal(wanted)
		*answer = api.CreatedToken{Token: api.Token{ID: "T2", Name: wanted.Name, Scopes: wanted.Scopes}, Value: "rsc_" + string(echo)}
	case "DELETE " + api.PathTokens + "/T1":
		*answer = nil
		w.WriteHeader(http.StatusNoContent)
	case "GET " + api.PathTop:
		*answer = top("n1")
	case "GET " + api.PathExplain:
		*answer = explanation(r.URL.Query(), at)
	case "GET " + api.PathLog:
		*answer = nil
		w.Header().Set("Content-Type", api.LinesContentType)
		io.WriteString(w, logLines)
	default:
		return false
	}
	return true
}

const logLines = `{"time":"2026-01-02T03:04:05.123456Z","event":"request","outcome":"miss","reason":"purged","status":503,"bytes":2048,` +
	`"duration_us":1500,"cut":true,"client":"192.0.2.1","method":"GET","scheme":"https","host":"a.example","target":"/\u001b[2Jx"}` + "\n\n" +
	`{"missed":12}` + "\n" + `{"something":"new"}` + "\n"

func top(node string) api.Top {
	return api.Top{
		Node: node, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Window: api.Duration(time.Minute),
		Rates: api.Rates{Requests: 200, Hits: 120, Stale: 30, OriginRequests: 50, Bytes: 3 << 20},
		URLs:  []api.Hot{{Service: "shop", Name: "https://a.example/\x1b]0;x", Rate: 99.94}},
		Keys:  []api.Hot{{Service: "shop", Name: "product-1", Rate: 12}},
	}
}

func explanation(query url.Values, now time.Time) api.Explanation {
	fresh, stale := now.Add(-time.Minute), now.Add(time.Hour)
	hit := &api.PurgeHit{ID: "P1", Selector: &api.Selector{Kind: api.ByKey, Value: "k"}, Mode: api.Soft, Actor: "deploy", Time: fresh, Note: "new logo"}
	return api.Explanation{
		URL: query.Get(api.QueryURL), Node: "n1", Time: now, Service: "shop", Normal: "https://a.example/x", QueryRule: "sorted",
		Outcome: api.WouldStale, Reason: "purged", Cached: true, LastPurge: hit, LastMiss: &api.LastMiss{Time: fresh, Reason: "purged", Purge: "P1"},
		Variants: []api.Variant{{
			URL: "https://a.example/x", Matches: true, Vary: "Accept-Language", Variant: strings.Join(query[api.QueryHeader], ", "), Status: 200,
			State: api.VariantStale, Keys: []string{"k", "l"}, ETag: `"e"`, Size: 1536, Hits: 3, Age: api.Duration(90 * time.Second),
			FreshUntil: &fresh, StaleUntil: &stale, Purge: hit,
		}},
		Hints: []api.Hint{{Code: api.HintSoftPurge, Text: "a soft purge may serve it stale", Next: "purge it hard"}},
	}
}

func TestOperatorsCommands(t *testing.T) {
	n := startNode(t)
	env := map[string]string{"RESCIND_ADDRESS": n.URL}
	for line, want := range map[string][]string{
		"services":        {"GET /v1/services", "shop", "a.example", "blog"},
		"services --json": {"GET /v1/services", `"id": "shop"`},
		"token list":      {"GET /v1/tokens", "(configured)  deploy  global", "T1            ci      purge_all  shop", ", expired"},
		"token revoke T1": {"DELETE /v1/tokens/T1", "T1: revoked"},
		"token create ci --scope purge_select,purge_all --service shop --expires 30d": {"POST /v1/tokens",
			`rsc_{"name":"ci","scopes":["purge_select","purge_all"],"services":["shop"],"expires_in":"720h0m0s"}` + "\n"},
		"token create ci --scope global --expires 2027-01-01T00:00:00Z": {"POST /v1/tokens", `"expires":"2027-01-01T00:00:00Z"}`},
		"token create ci --scope global --json":                         {"POST /v1/tokens", `"id": "T2"`, `"value": "rsc_`},
		"explain a.example/x --header Accept-Language:de -H A:b": {
			"GET /v1/explain?header=Accept-Language%3Ade&header=A%3Ab&url=a.example%2Fx",
			"stale: it would be answered from the store, and refreshed behind the client's back (purged)", "shop, on node n1",
			"https://a.example/x (query: sorted)", "P1 of key k, soft, ", "by deploy: new logo", "because purged by P1",
			"variant 1 *", "stale; status 200, 1.5KiB, age 1m30s, 3 hits", "varies by    Accept-Language:de, A:b", "k l", "(1m0s ago)", "(in 1h0m0s)",
			"- a soft purge may serve it stale; purge it hard",
		},
		"explain a.example/x --json": {"GET /v1/explain?url=a.example%2Fx", `"outcome": "stale"`},
		"top --limit 5": {"GET /v1/top?limit=5", "node n1", "200.0 requests/s, 3MiB/s to clients, hit ratio 75.0%, 50.0 origin requests/s",
			"99.9        shop     https://a.example/\uFFFD]0;x", "product-1"},
		"top --json": {"GET /v1/top", `"requests": 200`},
		"log --count 3 --filter status>=500": {"GET /v1/log?filter=status%3E%3D500",
			"503 miss/purged, cut    1.5ms     2KiB 192.0.2.1 GET https://a.example/\uFFFD[2Jx", "… 12 lines came too fast …", `{"something":"new"}`},
		"log --count 1 --json": {"GET /v1/log", `"target":"/\u001b[2Jx"}` + "\n"},
	} {
		t.Run(line, func(t *testing.T) {
			got := execute(t, env, "", strings.Fields(line)...)
			if asked := n.asked[len(n.asked)-1]; got.code != exitOK || asked != want[0] {
				t.Errorf("%+v asked %s, want %s", got, asked, want[0])
			}
			for _, text := range want[1:] {
				if !strings.Contains(got.out, text) {
					t.Errorf("the answer does not show %q:\n%s", text, got.out)
				}
			}
			if strings.ContainsRune(got.out, '\x1b') {
				t.Errorf("the answer passes on a terminal's commands: %q", got.out)
			}
		})
	}
}

// A script takes the value from the standard output.
func TestTokenValueStandsAlone(t *testing.T) {
	n := startNode(t)
	got := execute(t, map[string]string{"RESCIND_ADDRESS": n.URL}, "", "token", "create", "ci", "--scope", "global")
	if got.code != exitOK || strings.Count(got.out, "\n") != 1 || !strings.HasPrefix(got.out, "rsc_") || !strings.Contains(got.err, "has the id T2") {
		t.Errorf("got %+v", got)
	}
}

func TestOperatorsMistakes(t *testing.T) {
	n := startNode(t)
	for line, want := range map[string]struct {
		code int
		text string
	}{
		"token":                        {exitOK, ""},
		"token crate x":                {exitUsage, `did you mean "rescind token create"?`},
		"token create":                 {exitUsage, "NAME is missing"},
		"token create x":               {exitUsage, "--scope is missing"},
		"token create x --scope a b":   {exitUsage, `unexpected argument "b"`},
		"token revoke":                 {exitUsage, "ID is missing"},
		"explain":                      {exitUsage, "URL is missing"},
		"explain a --header x":         {exitUsage, `--header "x" is not a name, a colon and a value`},
		"top --limit 101":              {exitUsage, "--limit takes 1 to 100"},
		"top --every 1ms":              {exitUsage, "--every takes at least 100ms"},
		"log --count -1":               {exitUsage, "--count cannot be negative"},
		"log":                          {exitFailed, "the node ended the log"},
		"log --token wrong":            {exitFailed, "the token is not known"},
		"status --address a --context": {exitUsage, "flag needs an argument"},
		"token create x --scope global --expires 0":        {exitUsage, "neither a length of time"},
		"token create x --scope global --expires tomorrow": {exitUsage, "neither a length of time"},
	} {
		t.Run(line, func(t *testing.T) {
			got := execute(t, map[string]string{"RESCIND_ADDRESS": n.URL}, "", strings.Fields(line)...)
			if got.code != want.code || !strings.Contains(got.err, want.text) {
				t.Errorf("got %+v, want code %d and %q", got, want.code, want.text)
			}
		})
	}
}

func TestLogEndsWhenInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	n := startNode(t)
	n.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		interrupt()
		<-r.Context().Done()
	})
	var out, stderr bytes.Buffer
	code := run(ctx, []string{"log"}, streams{in: strings.NewReader(""), out: &out, err: &stderr,
		env: func(name string) string { return map[string]string{"RESCIND_ADDRESS": n.URL}[name] }})
	if code != exitOK || stderr.Len() > 0 {
		t.Errorf("code %d, %s", code, &stderr)
	}
}

func TestTopRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		answers := []func() (*api.Top, error){
			func() (*api.Top, error) { a := top("first"); return &a, nil },
			func() (*api.Top, error) { return nil, errors.New("no answer from the node") },
			func() (*api.Top, error) { a := top("third"); return &a, nil },
		}
		var out bytes.Buffer
		begin, asked := time.Now(), 0
		err := watchTop(ctx, &out, 2*time.Second, func() (*api.Top, error) {
			if asked++; asked == len(answers) {
				time.AfterFunc(time.Second, interrupt)
			}
			return answers[asked-1]()
		})
		if err != nil || time.Since(begin) != 5*time.Second {
			t.Errorf("ended after %s with %v", time.Since(begin), err)
		}
		screens := strings.Split(out.String(), home)
		if len(screens) != 4 || screens[0] != enterScreen || !strings.HasSuffix(screens[3], leaveScreen) {
			t.Fatalf("screens: %q", screens)
		}
		for i, texts := range [][]string{{"node first"}, {"No news: no answer from the node", "node first"}, {"node third"}} {
			for _, text := range texts {
				if !strings.Contains(screens[i+1], text) {
					t.Errorf("screen %d does not show %q: %q", i+1, text, screens[i+1])
				}
			}
		}
		if strings.Contains(screens[3], "No news") {
			t.Error("an error that is over is still shown")
		}
	})
	if err := watchTop(t.Context(), io.Discard, time.Hour, func() (*api.Top, error) { return nil, errors.New("refused") }); err == nil {
		t.Error("a node that does not answer at first is no error")
	}
}

func TestContexts(t *testing.T) {
	n, other := startNode(t), startNode(t)
	home := t.TempDir()
	dir := filepath.Join(home, ".config", "rescind")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "cli.yaml")
	text := "current: here\ncontexts:\n  here: {address: \"" + n.URL + "\", token: t-here}\n  bare: {address: \"" + n.URL + "\"}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args string
		env  map[string]string
		node *node
		sent string
	}{
		{"the current one", "", nil, n, "Bearer t-here"},
		{"a flag's token", "--token t-flag", nil, n, "Bearer t-flag"},
		{"the environment's token", "", map[string]string{"RESCIND_TOKEN": "t-env"}, n, "Bearer t-env"},
		{"a chosen one goes before the environment", "--context here", map[string]string{"RESCIND_TOKEN": "t-env", "RESCIND_ADDRESS": other.URL}, n, "Bearer t-here"},
		{"a chosen one without a token", "--context bare", map[string]string{"RESCIND_TOKEN": "t-env"}, n, ""},
		{"named by the environment", "", map[string]string{"RESCIND_CONTEXT": "bare"}, n, ""},
		{"another address gets no token of it", "--address " + other.URL, nil, other, ""},
		{"another address of the environment", "", map[string]string{"RESCIND_ADDRESS": other.URL}, other, ""},
		{"another file", "", map[string]string{"XDG_CONFIG_HOME": filepath.Join(home, ".config"), "HOME": "/nonexistent"}, n, "Bearer t-here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := map[string]string{"HOME": home}
			for name, value := range c.env {
				env[name] = value
			}
			before := len(c.node.tokens)
			got := execute(t, env, "", append([]string{"status"}, strings.Fields(c.args)...)...)
			if got.code != exitOK || len(c.node.tokens) != before+1 || c.node.tokens[before] != c.sent {
				t.Errorf("got %+v, sent %q, want %q", got, c.node.tokens[before:], c.sent)
			}
		})
	}
}

func TestContextMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cli.yaml")
	for _, c := range []struct {
		text, args, want string
		mode             os.FileMode
		code             int
	}{
		{"current: here\ncontexts: {here: {token: s3cret}}\n", "", "can be read by others (mode 0640), and it may hold tokens; run chmod 600", 0o640, exitFailed},
		{"current: there\ncontexts: {here: {token: s3cret}}\n", "", `there is no context "there" in`, 0o600, exitFailed},
		{"contexts: {here: {token: s3cret}}\n", "--context x", `only ["here"]`, 0o600, exitFailed},
		{"contexts:\n  here: {tokn: s3cret}\n", "", ":2: ", 0o600, exitFailed},
		{"contexts: [s3cret]\n", "", "it holds current, and contexts", 0o600, exitFailed},
		{"contexts: {here: \"s3cret\n", "", "it holds current, and contexts", 0o600, exitFailed},
		{"# " + strings.Repeat("x", maxContextsBytes), "", "is larger than 64KiB", 0o600, exitFailed},
		{"", "--context x --address http://a", "give one", 0o600, exitUsage},
		{"", "--context x", `there is no context "x"`, 0o600, exitFailed},
	} {
		if err := os.WriteFile(file, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		got := execute(t, map[string]string{"RESCIND_CLI_CONFIG": file}, "", append([]string{"status"}, strings.Fields(c.args)...)...)
		if got.code != c.code || !strings.Contains(got.err, c.want) || strings.Contains(got.err, "s3cret") {
			t.Errorf("%q: got %+v, want %q", c.text[:min(40, len(c.text))], got, c.want)
		}
	}
	got := execute(t, map[string]string{"RESCIND_CLI_CONFIG": file + ".none"}, "", "status", "--context", "x")
	if got.code != exitFailed || !strings.Contains(got.err, "there is no file") {
		t.Errorf("a context without a file: %+v", got)
	}
}

func TestCompletion(t *testing.T) {
	n := startNode(t)
	for line, want := range map[string]string{
		"purge --service ":          "shop\nblog\n",
		"token create x --service ": "shop\nblog\n",
		"token create x --scope ":   "purge_select\npurge_all\n",
		"token revoke ":             "T1\tci\n",
	} {
		args := append([]string{"__complete"}, strings.Split(line, " ")...)
		if got := execute(t, map[string]string{"RESCIND_ADDRESS": n.URL}, "", args...); !strings.HasPrefix(got.out, want) {
			t.Errorf("%q is completed by %q, want %q", line, got.out, want)
		}
	}
}

func TestDrawable(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	plain, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for _, file := range []*os.File{null, plain} {
		if drawable(file, "xterm") {
			t.Errorf("%s is taken for a terminal", file.Name())
		}
	}
}

func TestStatusSaysThatTheJournalTakesNothing(t *testing.T) {
	s := answering(t, map[string]string{"GET /v1/status": `{"node":"n1","purges":{"not_saved":"write: no space left on device"}}`})
	got := execute(t, nil, "", "status", "--address", s.URL)
	if got.code != exitOK || !strings.Contains(got.out, "journal  takes nothing: write: no space left on device;") {
		t.Errorf("%+v", got)
	}
}
