package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rescind-edge/rescind/internal/app"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"rescind": func() { os.Exit(run(context.Background(), os.Args[1:], standardStreams())) },
	})
}

// Each script has a node of its own, with an origin behind it; the commands in
// it are the real ones. Beside what testscript knows there is
//
//	get PATH         asks the site for a page and prints X-Cache and the content
//	getuntil F PATH  asks for a page until there is something in the file F
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			site, admin, err := startScriptNode(env)
			env.Setenv("SITE", site)
			env.Setenv("RESCIND_ADDRESS", admin)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TZ", "UTC")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each command lingers for a second under the race detector
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"get": getPage, "getuntil": getUntil},
	})
}

func startScriptNode(env *testscript.Env) (site, admin string, err error) {
	var asked atomic.Int64
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=600, stale-while-revalidate=600")
		w.Header().Set("Surrogate-Key", "all "+strings.Trim(r.URL.Path, "/"))
		fmt.Fprintf(w, "%s, answer %d\n", r.URL.Path, asked.Add(1))
	}))
	env.Defer(origin.Close)
	file := filepath.Join(env.WorkDir, "node.yaml")
	err = os.WriteFile(file, fmt.Appendf(nil, `
node: {name: n1, pop: p1, data_dir: data}
listen: {http: "127.0.0.1:0", admin: "unix:admin.sock"}
storage: {memory: 16MiB}
services:
  - {id: shop, domains: ["*"], origins: [{url: %q}]}
`, origin.URL), 0o600)
	if err != nil {
		return "", "", err
	}
	node, err := app.New(app.Options{ConfigPath: file, Version: "test"})
	if err != nil {
		return "", "", err
	}
	if err := node.Start(); err != nil {
		return "", "", err
	}
	env.Defer(func() {
		if err := node.Stop(); err != nil {
			env.T().Fatal(err)
		}
	})
	return "http://" + node.Addrs()[0].String(), "unix:" + node.AdminAddr().String(), nil
}

func getPage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: get PATH")
	}
	cache, body := fetch(ts, args[0])
	fmt.Fprintf(ts.Stdout(), "%s %s", cache, body)
}

func getUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: getuntil FILE PATH")
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		fetch(ts, args[1])
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > 0 {
			return
		}
	}
	ts.Fatalf("there is nothing in %s", args[0])
}

func fetch(ts *testscript.TestScript, path string) (cache string, body []byte) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no idle connection for the node to wait for
	response, err := client.Get(ts.Getenv("SITE") + path)
	ts.Check(err)
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	ts.Check(err)
	return response.Header.Get("X-Cache"), body
}
