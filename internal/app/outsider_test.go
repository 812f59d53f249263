package app

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/ports"
	"github.com/rescind-edge/rescind/internal/proxy"
)

// outsider writes the settings of a node that joins the group's first.
func (g *group) outsider(name, bind, extra string) string {
	file := filepath.Join(g.t.TempDir(), "rescind.yaml")
	text := fmt.Sprintf(`
node: {name: %s, pop: pop9}
listen: {http: "127.0.0.1:0", admin: "127.0.0.1:0"}
drain_timeout: 20s
cluster:
  bind: %q
  join: ["127.0.0.1:%d"]
  secret: "0123456789abcdef-one"
  isolation: {at_start: serve}
storage: {memory: 16MiB}
services:
  - {id: shop, domains: [shop.example], origins: [{url: %q}]}
%s`, name, bind, g.ports[0], g.origin.URL, extra)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	return file
}

// A node that the others keep out hears of no purge: whatever is set for a start,
// it serves nothing that it has stored unseen.
func TestANodeKeptOutServesNothingStored(t *testing.T) {
	g := startGroup(t, 2)
	port := ports.For(t, 1)[0]
	app, err := New(Options{ConfigPath: g.outsider("n2", fmt.Sprintf("127.0.0.1:%d", port), "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	defer app.Stop()
	deadline := time.Now().Add(30 * time.Second)
	for app.cluster.Refused() == nil {
		if time.Now().After(deadline) {
			t.Fatal("it is not refused")
		}
		<-time.After(10 * time.Millisecond)
	}
	if got := app.trusts(); got < proxy.TrustOrigin {
		t.Errorf("it trusts what it has stored: %v", got)
	}
	if err := app.ready(); !errors.Is(err, cluster.ErrDuplicateName) {
		t.Errorf("ready: %v", err)
	}
}

// A node that cannot start says why, and leaves nothing behind.
func TestANodeWhoseClusterCannotStart(t *testing.T) {
	g := startGroup(t, 1)
	taken := fmt.Sprintf("127.0.0.1:%d", g.ports[0])
	app, err := New(Options{ConfigPath: g.outsider("n9", taken, "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "cluster.bind") {
		t.Errorf("on an address that is taken: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file := g.outsider("n9", fmt.Sprintf("127.0.0.1:%d", ports.For(t, 1)[0]), "")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), `admin: "127.0.0.1:0"`, fmt.Sprintf("admin: %q", l.Addr()), 1))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{ConfigPath: file}); err == nil || !strings.Contains(err.Error(), "listen.admin") {
		t.Errorf("with an admin address that is taken: %v", err)
	}
}
