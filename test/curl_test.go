//go:build e2e

package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// answer is what curl received.
type answer struct {
	status  int
	proto   string // "1.1" or "2"
	header  http.Header
	trailer http.Header
	interim []interim // in their order
	body    []byte
}

// interim is an informational response.
type interim struct {
	status int
	header http.Header
}

// transport is a way in which curl reaches a node.
type transport struct {
	name   string
	scheme string
	flag   string
	proto  string
}

var transports = []transport{
	{"HTTP/1.1", "http", "--http1.1", "1.1"},
	{"HTTP/2 with prior knowledge", "http", "--http2-prior-knowledge", "2"},
	{"HTTP/1.1 over TLS", "https", "--http1.1", "1.1"},
	{"HTTP/2 over TLS", "https", "--http2", "2"},
}

// get asks for a path of the first host over HTTP/1.1.
func (n *node) get(path string, args ...string) answer {
	n.t.Helper()
	return n.over(transports[0], path, args...)
}

// over asks for a path of the first host over a transport.
func (n *node) over(via transport, path string, args ...string) answer {
	n.t.Helper()
	return n.url(via, via.scheme+"://"+host+path, args...)
}

// url asks for a URL, whatever its host.
func (n *node) url(via transport, url string, args ...string) answer {
	n.t.Helper()
	a, code, complaint := n.try(via, url, args...)
	if code != 0 {
		n.t.Fatalf("curl %s: exit code %d: %s", url, code, complaint)
	}
	return a
}

// try asks for a URL, and also returns curl's exit code and complaint.
func (n *node) try(via transport, url string, args ...string) (a answer, code int, complaint string) {
	n.t.Helper()
	addr := n.http
	if via.scheme == "https" {
		addr = n.https
	}
	args = append([]string{via.flag, "--cacert", n.cert, "--connect-to", "::" + addr, url}, args...)
	return curl(n.t, args...)
}

// curl runs curl to its end.
func curl(t *testing.T, args ...string) (a answer, code int, complaint string) {
	t.Helper()
	dir := t.TempDir()
	heads, body := filepath.Join(dir, "heads"), filepath.Join(dir, "body")
	var out, errs bytes.Buffer
	cmd := exec.Command("curl", append([]string{
		"--silent", "--show-error", "--globoff", "--path-as-is", "--max-time", fmt.Sprint(patience.Seconds()),
		"--dump-header", heads, "--output", body, "--write-out", "%{json}",
	}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	code = exitCode(t, cmd.Run())
	var said struct {
		Status int    `json:"http_code"`
		Proto  string `json:"http_version"`
	}
	if err := json.Unmarshal(out.Bytes(), &said); err != nil {
		t.Fatalf("curl wrote %q, not what it did: %v", out.String(), err)
	}
	a.status, a.proto = said.Status, said.Proto
	a.body, _ = os.ReadFile(body) // there is no file for no body
	a.readHeads(t, heads)
	return a, code, strings.TrimSpace(errs.String())
}

// readHeads reads what curl dumps: the heads of informational responses, of the
// final one, and its trailer section, each followed by an empty line.
func (a *answer) readHeads(t *testing.T, path string) {
	t.Helper()
	dump, err := os.ReadFile(path)
	if err != nil {
		return // no answer at all
	}
	for block := range strings.SplitSeq(strings.ReplaceAll(string(dump), "\r\n", "\n"), "\n\n") {
		first, rest, _ := strings.Cut(block, "\n")
		switch {
		case !strings.HasPrefix(first, "HTTP/"):
			if block != "" {
				a.trailer = fields(block)
			}
		case strings.Contains(first, " 1"):
			var status int
			if _, err := fmt.Sscanf(first, "HTTP/%s %d", new(string), &status); err != nil {
				t.Fatalf("cannot read %q: %v", first, err)
			}
			a.interim = append(a.interim, interim{status, fields(rest)})
		default:
			a.header = fields(rest)
		}
	}
}

func fields(block string) http.Header {
	h := http.Header{}
	for line := range strings.Lines(block) {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimSpace(value))
	}
	return h
}

// String sums the answer up: its status, whether the cache had it, and its
// content.
func (a answer) String() string {
	text := fmt.Sprintf("%d %s %s", a.status, a.header.Get("X-Cache"), bytes.TrimSpace(a.body))
	const most = 200
	return fmt.Sprintf("%.*s", most, strings.TrimSpace(text))
}

// expect fails the test where an answer, summed up, is another.
func expect(t *testing.T, what string, got answer, want string) {
	t.Helper()
	if got.String() != want {
		t.Fatalf("%s: got %q, want %q\n%v", what, got, want, got.header)
	}
}
