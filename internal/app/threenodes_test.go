package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/ports"
)

// startThree starts three nodes that are members of one cluster.
func startThree(t *testing.T) (nodes []*node) {
	t.Helper()
	first := ""
	for i, port := range ports.For(t, 3) {
		bind := fmt.Sprintf("127.0.0.1:%d", port)
		n := &node{t: t, file: filepath.Join(t.TempDir(), "rescind.yaml"), client: &http.Client{Transport: &http.Transport{}}}
		join := ""
		if first != "" {
			join = ", join: [" + first + "]"
		} else {
			first = bind
		}
		text := fmt.Sprintf(`
node: {name: n%d, data_dir: %s}
listen: {http: "127.0.0.1:0", admin: "127.0.0.1:0"}
drain_timeout: 20s
cluster: {bind: %q, secret: "a secret of thirty-two bytes, or more"%s}
services:
  - {id: shop, domains: [shop.example], origins: [{url: "http://127.0.0.1:9"}]}
tokens: [{name: deploy, value: deploy-token, scopes: [purge_select], services: [shop]}]
`, i, t.TempDir(), bind, join)
		if err := os.WriteFile(n.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		app, err := New(Options{ConfigPath: n.file, Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		if err := app.Start(); err != nil {
			t.Fatal(err)
		}
		n.app = app
		nodes = append(nodes, n)
		t.Cleanup(func() {
			n.client.CloseIdleConnections()
			if err := app.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	return nodes
}

// TestStackPathLimitOfThreeNodes spends one client's limit on three nodes, up to
// its edge: what one accepts counts on the others, all of a call or nothing.
func TestStackPathLimitOfThreeNodes(t *testing.T) {
	nodes := startThree(t)
	const token = "Authorization: Bearer deploy-token"
	// spend purges items through a node, and returns the status and the id.
	spend := func(n *node, items int) (status int, id string) {
		t.Helper()
		list := make([]string, items)
		for i := range list {
			list[i] = fmt.Sprintf(`{"url":"//shop.example/%d"}`, i)
		}
		resp, body := n.ask("POST", "", "/cdn/v1/stacks/shop/purge", token, `{"items":[`+strings.Join(list, ",")+`]}`)
		var answer struct{ ID string }
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, answer.ID
	}
	// everywhere waits until a purge has come to all nodes.
	everywhere := func(n *node, id string) {
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for {
			resp, body := n.ask("GET", "", "/cdn/v1/stacks/shop/purge/"+id, token, "")
			if body == `{"progress":1}` {
				return
			}
			if resp.StatusCode != 200 || time.Now().After(deadline) {
				t.Fatalf("%d %s", resp.StatusCode, body)
			}
		}
	}
	waitForMembers(t, nodes)
	for i, items := range []int{40, 40} {
		status, id := spend(nodes[i], items)
		if status != 200 {
			t.Fatalf("node %d: %d", i, status)
		}
		everywhere(nodes[i], id)
	}
	for _, step := range []struct{ node, items, want int }{{2, 21, 429}, {0, 21, 429}, {2, 20, 200}, {2, 1, 429}} {
		status, id := spend(nodes[step.node], step.items)
		if status != step.want {
			t.Errorf("%d items on node %d: %d, want %d", step.items, step.node, status, step.want)
		}
		if status == 200 {
			everywhere(nodes[step.node], id)
		}
	}
	for i := range nodes {
		if status, _ := spend(nodes[i], 1); status != 429 {
			t.Errorf("one more on node %d: %d", i, status)
		}
	}
	if resp, body := nodes[1].ask("POST", "", "/invalidation", token, `{"type":"uri","selectors":["http://shop.example/a"]}`); resp.StatusCode != 200 {
		t.Errorf("the draft's API, on three nodes in good health: %d %s", resp.StatusCode, body)
	}
}

// waitForMembers waits until every node knows all of them.
func waitForMembers(t *testing.T, nodes []*node) {
	t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	deadline := time.Now().Add(30 * time.Second)
	for _, n := range nodes {
		for {
			alive := 0
			for _, m := range n.app.cluster.Members() {
				if m.State == cluster.MemberAlive && m.Heard >= 0 {
					alive++
				}
			}
			if alive >= len(nodes)-1 && n.app.cluster.Ready() && n.app.cluster.Health().Roster == len(nodes) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("members: %+v", n.app.cluster.Members())
			}
			<-look.C
		}
	}
}
