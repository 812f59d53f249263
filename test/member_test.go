//go:build e2e

package test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rescind-edge/rescind/client"
)

// clusterSettings are what the members of a test's cluster have in common.
type clusterSettings struct {
	origin string // URL
	disk   bool   // with a data directory
	after  string // isolation.after; empty: so long that no busy machine makes a member isolated
	secret string
	top    string // further lines of the file
	// service are further lines of the service, indented by four.
	service string
}

const (
	clusterSecret = "of the tests' clusters, 7c1f0e2b"
	memberPort    = 7946
	spreadPort    = memberPort + 1
)

// member is a node of a cluster, on a machine of its own.
type member struct {
	*machine
	*process
	t      *testing.T
	name   string
	file   string // its configuration
	admin  string // address for the client
	client *client.Client
	http   *http.Client // through the admin listener
}

// newMember plans the cluster's member of a machine; others are the machines of
// members that it is told of.
func newMember(t *testing.T, h *machine, s clusterSettings, others []*machine) *member {
	t.Helper()
	dir := t.TempDir()
	m := &member{machine: h, t: t, name: "n" + h.name[1:], file: filepath.Join(dir, "rescind.yaml")}
	socket := filepath.Join(dir, "admin")
	data, join, after := "", []string(nil), cmp.Or(s.after, "5m")
	if s.disk {
		data = ", data_dir: data"
	}
	for _, o := range others {
		join = append(join, fmt.Sprintf("%s:%d", o.back(), memberPort))
	}
	writeFile(t, m.file, fmt.Sprintf(`
node: {name: %s, pop: p%d%s}
listen: {http: "%s:8080", admin: "unix:%s"}
storage: {memory: 64MiB}
drain_timeout: 2s
cluster:
  bind: "%s:%d"
  join: [%s]
  secret: %q
  isolation: {after: %s, policy: revalidate}
log: {format: json}
services:
  - id: shop
    domains: ["*"]
    origins: [{url: %q}]
%s
%s
`, m.name, h.last, data, h.front(), socket, h.back(), memberPort, strings.Join(join, ", "), s.secret, after, s.origin, s.service, s.top))
	m.admin = "unix:" + socket
	var err error
	if m.client, err = client.New(m.admin, client.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.client.Close)
	m.http = &http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	t.Cleanup(m.http.CloseIdleConnections)
	return m
}

// launch starts the member's process.
func (m *member) launch() {
	m.t.Helper()
	m.process = start(m.t, m.name, m.command(binary, "serve", "--config", m.file))
}

// kill ends the process as a power loss would.
func (m *member) kill() {
	m.t.Helper()
	m.signal(syscall.SIGKILL)
	within(m.t, "the end of "+m.name, m.exited)
}

// readiness is what a balancer is told: 200, or 503 with a reason; 0 where there
// is no answer.
func (m *member) readiness() (int, string) {
	resp, err := m.http.Get("http://admin/readyz")
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	buf := make([]byte, 512)
	n, _ := resp.Body.Read(buf)
	return resp.StatusCode, string(buf[:n])
}

func (m *member) awaitReady() {
	m.t.Helper()
	eventually(m.t, m.name+" is ready", func() bool {
		if !m.running() {
			m.t.Fatalf("%s ended: %v", m.name, m.err)
		}
		code, _ := m.readiness()
		return code == http.StatusOK
	})
}

type clusterView struct{ Roster, Heard int }

// cluster returns the cluster as the member sees it, nil where it does not say.
func (m *member) cluster() *clusterView {
	var c clusterView
	resp, err := m.http.Get("http://admin" + "/v1/cluster/members")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || decodeBody(resp.Body, &c) != nil {
		return nil
	}
	return &c
}

// startCluster starts members on machines of their own, and waits until they
// know each other.
func (l *lab) startCluster(n int, s clusterSettings) []*member {
	l.t.Helper()
	var hosts []*machine
	for range n {
		hosts = append(hosts, l.newHost())
	}
	var members []*member
	for _, h := range hosts {
		members = append(members, newMember(l.t, h, s, hosts))
	}
	for _, m := range members {
		m.launch()
	}
	for _, m := range members {
		m.awaitReady()
		eventually(l.t, m.name+" knows all members", func() bool {
			c := m.cluster()
			return c != nil && c.Roster == n && c.Heard == n
		})
	}
	return members
}

// site is the base URL of the member's data plane.
func (m *member) site() string { return "http://" + m.front() + ":8080" }
