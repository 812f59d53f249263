//go:build e2e

package test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

// Hosts of the service under test.
const (
	host      = "www.example.test"
	otherHost = "img.example.test"
)

// settings are what a test wants to have in the configuration.
type settings struct {
	origin  string // URL
	service string // further lines of the service, in YAML; lines without an indentation of their own
	top     string // further lines of the file
}

// file returns the configuration. Every port is any free one.
func (s settings) file() string {
	service := ""
	for line := range strings.Lines(s.service) {
		service += "    " + line
	}
	return `
node: {name: e2e, pop: test}
listen:
  http: "127.0.0.1:0"
  https: {address: "127.0.0.1:0", cert: edge.crt, key: edge.key}
  admin: "127.0.0.1:0"
log: {format: json}
services:
  - id: shop
    domains: [` + host + `, ` + otherHost + `]
    origins: [{url: "` + s.origin + `"}]
` + service + "\n" + s.top + "\n"
}

// node is a running rescind serve.
type node struct {
	*process
	http, https, admin string // addresses
	config             string // path of its file
	cert               string // path of its certificate
	client             *client.Client
}

// startNode runs a node until the test ends.
func startNode(t *testing.T, s settings) *node {
	t.Helper()
	dir := t.TempDir()
	n := &node{config: filepath.Join(dir, "rescind.yaml")}
	n.cert, _ = writeCertificate(t, dir)
	writeFile(t, n.config, s.file())
	n.process = start(t, "rescind", exec.Command(binary, "serve", "--config", n.config))
	eventually(t, "the node serves", func() bool {
		if !n.running() {
			t.Fatalf("the node ended at its start: %v", n.err)
		}
		return n.readAddresses()
	})
	var err error
	if n.client, err = client.New("http://"+n.admin, client.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.client.Close)
	return n
}

// readAddresses takes the node's addresses from its log, once they are there.
func (n *node) readAddresses() bool {
	for line := range strings.Lines(n.out.text()) {
		var serving struct {
			Msg       string   `json:"msg"`
			Addresses []string `json:"addresses"`
			Admin     string   `json:"admin"`
		}
		if json.Unmarshal([]byte(line), &serving) == nil && serving.Msg == "serving" && len(serving.Addresses) == 2 {
			n.http, n.https, n.admin = serving.Addresses[0], serving.Addresses[1], serving.Admin
			return true
		}
	}
	return false
}

// reload changes the configuration and waits for the log to say a text.
func (n *node) reload(s settings, text string) {
	n.t.Helper()
	before := len(n.out.text())
	writeFile(n.t, n.config, s.file())
	n.signal(syscall.SIGHUP)
	n.awaitOutput(text, before)
}

// asked returns how many requests the node has sent to its origins.
func (n *node) asked() uint64 {
	n.t.Helper()
	return n.status().Traffic.OriginRequests
}

func (n *node) status() *api.Status {
	n.t.Helper()
	status, err := n.client.Status(context.Background())
	if err != nil {
		n.t.Fatal(err)
	}
	return status
}

// purge purges by the native API and returns the receipt.
func (n *node) purge(p api.Purge) *api.Receipt {
	n.t.Helper()
	receipt, err := n.client.Purge(context.Background(), p)
	if err != nil {
		n.t.Fatal(err)
	}
	return receipt
}

// printed is what a command did.
type printed struct {
	out, err string
	code     int
}

// cli runs a command of the binary against the node.
func (n *node) cli(args ...string) printed {
	n.t.Helper()
	return runBinary(n.t, "", append(args, "--address", "http://"+n.admin)...)
}

// runBinary runs the binary to its end.
func runBinary(t *testing.T, stdin string, args ...string) printed {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	code := exitCode(t, cmd.Run())
	return printed{out.String(), errs.String(), code}
}

// done fails the test unless the command succeeded, and returns its output.
func (p printed) done(t *testing.T) string {
	t.Helper()
	if p.code != 0 || p.err != "" {
		t.Fatalf("exit code %d, stderr: %s", p.code, p.err)
	}
	return p.out
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
