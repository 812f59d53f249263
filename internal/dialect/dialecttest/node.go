// Package dialecttest lets the tests of dialects send requests as raw bytes to
// a node's real control and purge engine, and see which objects they took.
package dialecttest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Tokens that a Node knows; their names are the parts before the dash.
const (
	Deploy  = "deploy-secret"  // purge_select and purge_all on shop
	Editor  = "editor-secret"  // purge_select on shop
	Watcher = "watcher-secret" // global:read
	Root    = "root-secret"    // global
	Expired = "expired-secret" // global, long expired
	Wrong   = "wrong-secret"   // nobody's
)

// Touched is what a Node's purges by URL count, for each tag.
const Touched = 3

// Addresses to send from.
var (
	Loopback = control.Credentials{Addr: netip.MustParseAddr("127.0.0.1")}
	Office   = control.Credentials{Addr: netip.MustParseAddr("192.0.2.7")} // in shop's allow_from
	Stranger = control.Credentials{Addr: netip.MustParseAddr("203.0.113.9")}
	Socket   = control.Credentials{Local: true}
)

// Node is a control and an engine with three services: shop has
// www.example.com, locked has locked.example and requires a token, and blog has
// blog.example.
type Node struct {
	Control *control.Control
	Config  control.Config
	From    control.Credentials // who all requests come from; at first Loopback
	Disk    *vfs.Memory         // of its journal
	Others  Others              // of its cluster

	engine *purge.Engine
	hasher *field.Hasher
}

// New returns a Node that has purged nothing and keeps tokens.
func New(t testing.TB) *Node {
	t.Helper()
	return start(t, true, nil)
}

// NewAt returns a Node like New's that has its time from a function.
func NewAt(t testing.TB, now func() time.Time) *Node {
	t.Helper()
	return start(t, true, now)
}

// NewWithoutDataDir returns a Node that cannot keep tokens.
func NewWithoutDataDir(t testing.TB) *Node {
	t.Helper()
	return start(t, false, nil)
}

func start(t testing.TB, keeps bool, now func() time.Time) *Node {
	t.Helper()
	n := &Node{From: Loopback, engine: purge.NewEngine(purge.Config{}), hasher: field.RandomHasher()}
	n.Config = config(t)
	n.Disk = vfs.NewMemory()
	journal, err := durable.Open(durable.Config{FS: n.Disk, Items: control.Items})
	if err != nil {
		t.Fatal(err)
	}
	n.Control, err = control.New(control.Parts{
		Engine: n.engine, Hasher: n.hasher, Counter: n, Journal: journal, KeepTokens: keeps, Node: "n1", Cluster: &n.Others, Now: now,
	}, n.Config)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func config(t testing.TB) control.Config {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	hosts := map[string]string{"www.example.com": "shop", "locked.example": "locked", "blog.example": "blog"}
	cfg := control.Config{
		Services: []control.Service{
			{ID: "shop", AllowFrom: append(loopback, netip.MustParsePrefix("192.0.2.0/24"))},
			{ID: "locked", AllowFrom: loopback, RequireToken: true},
			{ID: "blog", AllowFrom: loopback},
		},
		Resolve: func(host string) (string, bool) { id, ok := hosts[host]; return id, ok },
	}
	for _, spec := range []control.TokenSpec{
		{Name: "deploy", Value: Deploy, Scopes: []string{"purge_select", "purge_all"}, Services: []string{"shop"}},
		{Name: "editor", Value: Editor, Scopes: []string{"purge_select"}, Services: []string{"shop"}},
		{Name: "watcher", Value: Watcher, Scopes: []string{"global:read"}},
		{Name: "root", Value: Root, Scopes: []string{"global"}},
		{Name: "expired", Value: Expired, Scopes: []string{"global"}, Expires: time.Unix(1, 0)},
	} {
		token, err := control.NewToken(spec)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Tokens = append(cfg.Tokens, token)
	}
	return cfg
}

// Touched is the node's control.Counter.
func (n *Node) Touched(string, field.Tag, purge.ID) int { return Touched }

// Door returns what a dialect's handler needs.
func (n *Node) Door() dialect.Door {
	return dialect.Door{Control: n.Control, Client: func(*http.Request) control.Credentials { return n.From }}
}

// NoUndo makes purges of a service final at once, on a node that has purged
// nothing yet.
func (n *Node) NoUndo(service string) { n.engine.Service(service).SetUndoWindow(0) }

// State tells what has become of an object that was stored before any purge.
func (n *Node) State(t testing.TB, service, url string, keys ...string) purge.State {
	t.Helper()
	target, err := purge.ParseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	tags := n.hasher.AppendTags(nil, service, target)
	for _, key := range keys {
		tags = append(tags, n.hasher.Surrogate(service, key))
	}
	own := field.Times{Fresh: 1 << 62, SWR: 1 << 62, SIE: 1 << 62, Keep: 1 << 62}
	return n.engine.Service(service).Judge(purge.NewResponse(tags, target.String(), 200, nil), 0, own).State
}

// Answer is a response, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Send sends raw bytes, with bare line feeds for line ends, to a handler behind
// a real server and returns the answer.
func Send(t testing.TB, h http.Handler, raw string) Answer {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go io.WriteString(conn, Wire(raw)) // ends when the connection is closed
	return ReadAnswer(t, bufio.NewReader(conn))
}

// Wire returns a request as it goes over the wire: its head's line feeds become
// line ends.
func Wire(raw string) string {
	head, body, _ := strings.Cut(raw, "\n\n")
	return strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body
}
