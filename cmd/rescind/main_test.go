package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/ports"
)

// result is what a user sees of one command.
type result struct {
	code     int
	out, err string
}

func execute(t *testing.T, env map[string]string, stdin string, args ...string) result {
	t.Helper()
	var out, stderr bytes.Buffer
	code := run(t.Context(), args, streams{
		in: strings.NewReader(stdin), out: &out, err: &stderr, env: func(name string) string { return env[name] },
	})
	return result{code, out.String(), stderr.String()}
}

// node is a node that says yes and remembers what it was asked.
type node struct {
	*httptest.Server
	purges []api.Purge
	tokens []string
	asked  []string
}

func startNode(t *testing.T) *node {
	t.Helper()
	n := &node{}
	n.Server = httptest.NewServer(n)
	t.Cleanup(n.Close)
	return n
}

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.asked = append(n.asked, r.Method+" "+r.RequestURI)
	n.tokens = append(n.tokens, r.Header.Get("Authorization"))
	count := 3
	receipt := api.Receipt{
		ID: fmt.Sprintf("ID%d", len(n.asked)), Service: "shop", Selectors: []api.Selector{{Kind: api.ByURL, Value: "//a/b"}},
		Mode: api.Hard, Actor: "deploy", AppliedIn: 1500, Count: &count,
	}
	var answer any = receipt
	switch {
	case r.Header.Get("Authorization") == "Bearer wrong":
		w.Header().Set("Content-Type", api.ProblemContentType)
		w.WriteHeader(http.StatusUnauthorized)
		answer = api.Problem{Title: "Unauthorized", Detail: "the token is not known", Next: "check RESCIND_TOKEN"}
	case r.URL.Path == api.PathStatus:
		answer = api.Status{Node: "n1", POP: "p1", Store: api.StoreStatus{Objects: 1, Bytes: 3 << 20, Budget: 256 << 20}, Services: []api.ServiceStatus{{
			ID: "shop", Domains: []string{"a.example"}, Origins: []api.OriginStatus{{URL: "http://o:1", Reason: "refused"}},
		}}}
	case operate(w, r, &answer):
	case strings.HasSuffix(r.URL.Path, api.RevertSuffix):
		answer = api.Revert{ID: "X", Outcome: api.RevertAlready}
	case r.Method == http.MethodPost:
		var p api.Purge
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			panic(err)
		}
		n.purges = append(n.purges, p)
	case r.URL.Path == api.PathPurges:
		reverted := receipt
		reverted.Count, reverted.Reverted = nil, &api.Revert{}
		answer = api.List{Purges: []api.Receipt{receipt, reverted}}
	}
	if answer != nil {
		json.NewEncoder(w).Encode(answer)
	}
}

func TestPurgeFlags(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("f1\n\n  f2 \r\n#f3"), 0o600); err != nil {
		t.Fatal(err)
	}
	zero := api.Duration(0)
	for line, want := range map[string]api.Purge{
		"--url http://a/b --url a/c":       {URLs: []string{"//a/b", "a/c"}},
		"--url http://a/b --one-scheme":    {URLs: []string{"http://a/b"}},
		"--key a,b --key c --service s":    {Keys: []string{"a,b", "c"}, Service: "s"},
		"--key a --file " + keys:           {Keys: []string{"a", "f1", "f2", "#f3"}},
		"--file -":                         {Keys: []string{"in1", "in2"}},
		"--path /p --host h --note why":    {Paths: []string{"/p"}, Hosts: []string{"h"}, Note: "why"},
		"--all --soft --ttl 0s":            {All: true, Mode: api.Soft, TTL: &zero},
		"--all --soft --grace 0s --keep 0": {All: true, Mode: api.Soft, Grace: &zero, Keep: &zero},
	} {
		t.Run(line, func(t *testing.T) {
			n := startNode(t)
			args := append([]string{"purge", "--address", n.URL}, strings.Fields(line)...)
			got := execute(t, nil, "in1\nin2\n", args...)
			if got.code != exitOK || !reflect.DeepEqual(n.purges, []api.Purge{want}) {
				t.Errorf("%+v asked for %+v, want %+v", got, n.purges, want)
			}
			for _, text := range []string{"ID1", "shop", "hard", "url //a/b", "3", "1.5µs", "deploy"} {
				if !strings.Contains(got.out, text) {
					t.Errorf("the answer does not show %q:\n%s", text, got.out)
				}
			}
		})
	}
}

func TestManyKeysAreSeveralPurges(t *testing.T) {
	n := startNode(t)
	var keys strings.Builder
	for i := range 2*api.MaxKeys + 1 {
		fmt.Fprintf(&keys, "k%d\n", i)
	}
	got := execute(t, map[string]string{"RESCIND_ADDRESS": n.URL}, keys.String(), "purge", "--file", "-", "--url", "a/b")
	if got.code != exitOK || len(n.purges) != 3 {
		t.Fatalf("%+v, %d purges, want 3", got, len(n.purges))
	}
	if n.purges[0].URLs == nil || n.purges[1].URLs != nil || n.purges[2].Keys[0] != "k512" {
		t.Errorf("got %+v", n.purges)
	}
	for _, id := range []string{"ID1", "ID2", "ID3"} {
		if !strings.Contains(got.out, id) {
			t.Errorf("the answer does not show %s:\n%s", id, got.out)
		}
	}
}

func TestOtherCommands(t *testing.T) {
	n := startNode(t)
	env := map[string]string{"RESCIND_ADDRESS": n.URL, "RESCIND_TOKEN": "t"}
	for line, want := range map[string][]string{
		"purges":             {"GET /v1/purges", "ID", "hard, reverted", "?"},
		"purges --limit 5":   {"GET /v1/purges?limit=5", "ID"},
		"purges X":           {"GET /v1/purges/X", "ID"},
		"purges X --json":    {"GET /v1/purges/X", `"applied_in": "1.5µs"`},
		"revert X":           {"POST /v1/purges/X/revert", "X: had been undone before"},
		"revert X --json":    {"POST /v1/purges/X/revert", `"outcome": "already"`},
		"status":             {"GET /v1/status", "n1 (POP p1)", "1 object, 3MiB of 256MiB", "http://o:1 not healthy (refused)"},
		"status --json":      {"GET /v1/status", `"node": "n1"`},
		"purge --all --json": {"POST /v1/purges", `"count": 3`},
	} {
		t.Run(line, func(t *testing.T) {
			got := execute(t, env, "", strings.Fields(line)...)
			if asked := n.asked[len(n.asked)-1]; got.code != exitOK || asked != want[0] {
				t.Errorf("%+v asked %s, want %s", got, asked, want[0])
			}
			if token := n.tokens[len(n.tokens)-1]; token != "Bearer t" {
				t.Errorf("sent the token %q", token)
			}
			for _, text := range want[1:] {
				if !strings.Contains(got.out, text) {
					t.Errorf("the answer does not show %q:\n%s", text, got.out)
				}
			}
		})
	}
}

func TestFailures(t *testing.T) {
	n := startNode(t)
	nobody := fmt.Sprintf("http://127.0.0.1:%d", ports.For(t, 1)[0])
	for line, want := range map[string]struct {
		code int
		text string
	}{
		"status --token wrong":            {exitFailed, "the token is not known; check RESCIND_TOKEN"},
		"status --address " + nobody:      {exitFailed, "Is the node running?"},
		"status --address 127.0.0.1:8081": {exitUsage, "write http://host:port"},
		"status extra":                    {exitUsage, `unexpected argument "extra"`},
		"status --jsno":                   {exitUsage, "unknown flag: --jsno"},
		"revert":                          {exitUsage, "ID is missing"},
		"purge":                           {exitUsage, "nothing to purge"},
		"purge --all --ttl 1s":            {exitUsage, "--ttl has a meaning only together with --soft"},
		"purge --all --soft --keep -1s":   {exitUsage, "is not a duration"},
		"purge --all --key a":             {exitUsage, "--all takes everything"},
		"purge --file /does/not/exist":    {exitFailed, "no such file"},
		"purge --file -":                  {exitFailed, "there is no key in -; nothing was purged"},
		"purges --limit 5000":             {exitUsage, "--limit takes 1 to 1000"},
		"purges a b":                      {exitUsage, `unexpected argument "b"`},
		"stats":                           {exitUsage, `did you mean "rescind status"?`},
		"config chekc":                    {exitUsage, `did you mean "rescind config check"?`},
		"config check":                    {exitUsage, "FILE is missing"},
		"config check /does/not/exist":    {exitFailed, "no such file"},
		"serve":                           {exitUsage, "--config is missing"},
		"serve --config /does/not/exist":  {exitFailed, "no such file"},
		"nonsense":                        {exitUsage, `unknown command "nonsense"`},
	} {
		t.Run(line, func(t *testing.T) {
			got := execute(t, map[string]string{"RESCIND_ADDRESS": n.URL}, "", strings.Fields(line)...)
			if got.code != want.code || !strings.Contains(got.err, want.text) || got.out != "" {
				t.Errorf("got %+v, want code %d and %q", got, want.code, want.text)
			}
			if hint := strings.Contains(got.err, "--help"); hint != (want.code == exitUsage) {
				t.Errorf("help is offered: %v\n%s", hint, got.err)
			}
		})
	}
	if len(n.purges) != 0 {
		t.Errorf("purged %+v", n.purges)
	}
}

func TestConfigCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "edge.yaml")
	good := "node: {name: n}\nlisten: {http: ':0'}\nservices: [{id: a, domains: [a.example], origins: [{url: 'http://127.0.0.1:9000'}]}]\n"
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := execute(t, nil, "", "config", "check", file); got.code != exitOK || got.out != file+": ok: node n with 1 listener, 1 service and 0 tokens\n" {
		t.Errorf("a good file: %+v", got)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(good, "domains", "domain")), 0o600); err != nil {
		t.Fatal(err)
	}
	got := execute(t, nil, "", "config", "check", file)
	if got.code != exitFailed || !strings.Contains(got.err, file+":3:20: services[0].domain: unknown setting; did you mean domains?") {
		t.Errorf("a bad file: %+v", got)
	}
}

func TestHelp(t *testing.T) {
	for _, line := range []string{"", "--help", "help purge", "config", "version", "completion bash"} {
		if got := execute(t, nil, "", strings.Fields(line)...); got.code != exitOK || got.out == "" || got.err != "" {
			t.Errorf("%q: code %d, stderr %q", line, got.code, got.err)
		}
	}
	helped(t, rootCommand(streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard}))
}

func helped(t *testing.T, command *cobra.Command) {
	if command.Short == "" || !strings.Contains(command.Example, command.CommandPath()) {
		t.Errorf("%s has no help or no example", command.CommandPath())
	}
	for _, below := range command.Commands() {
		helped(t, below)
	}
}

// reloads answers each Reload with the next of its errors.
type reloads struct {
	errs []error
	done context.CancelFunc
}

func (r *reloads) Reload() error {
	err := r.errs[0]
	if r.errs = r.errs[1:]; len(r.errs) == 0 {
		r.done()
	}
	return err
}

func TestHangupReloads(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	hangup := make(chan os.Signal, 2)
	hangup <- syscall.SIGHUP
	hangup <- syscall.SIGHUP
	node := &reloads{errs: []error{nil, errors.New("edge.yaml:1:1: wrong")}, done: stop}
	reloadOn(ctx, hangup, node)
	if len(node.errs) != 0 {
		t.Errorf("%d reloads missing", len(node.errs))
	}
}
